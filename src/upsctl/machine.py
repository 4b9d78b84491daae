"""Which machine this is, as rows tell it."""

import platform
from pathlib import Path

import torch

from upsctl.cores import count_cores


def device_name(device: str) -> str:
    """The processor or accelerator by name."""
    return torch.cuda.get_device_name() if device == "cuda" else _processor()


def device_class(device: str, num_threads: int) -> str:
    """What rows must share to be ranked together: the core count, or the accelerator's model."""
    cores = count_threads(num_threads)
    return torch.cuda.get_device_name() if device == "cuda" else f"{cores} core{'s' if cores > 1 else ''}"


def count_threads(wanted: int) -> int:
    """So many processor threads as are wanted; as many as there are cores for it where that is 0."""
    return wanted or count_cores()


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
