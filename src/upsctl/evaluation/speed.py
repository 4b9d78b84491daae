"""What one prediction step costs: time at two batch sizes, and memory."""

import resource
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from ups_models.batch import Batch
from ups_models.interfaces import AbstractEmulator

BATCH_SIZES = (1, 16)
NUM_REPEATS = 5


def cost_metric(batch_size: int) -> str:
    """The name under which rows hold the seconds of one step of a whole batch."""
    return f"seconds_per_step_batch_{batch_size}"


@dataclass(frozen=True)
class Speed:
    """The cost of one prediction step.

    Attributes:
        seconds_per_step: batch size -> median seconds of one step of the whole batch.
        peak_memory_bytes: on an accelerator, of its own allocator; on Linux, the process's largest resident set while
            measuring; elsewhere since it started.
    """

    seconds_per_step: dict[int, float]
    peak_memory_bytes: int


def measure_speed(emulator: AbstractEmulator, batch: Batch) -> Speed:
    """Time single steps from the first frame of `batch`, its samples repeated to each batch size.

    Args:
        emulator: in evaluation mode, on the device of the batch.
        batch: at least one sample.
    """
    _reset_peak_memory(batch)
    seconds = {size: _median_seconds(emulator, _repeated(batch, size)) for size in BATCH_SIZES}
    return Speed(seconds, _peak_memory(batch))


def _repeated(batch: Batch, size: int) -> Batch:
    index = torch.arange(size) % batch.size
    return batch.window(0, 1).map(lambda tensor: tensor[index.to(tensor.device)])


def _median_seconds(emulator: AbstractEmulator, batch: Batch) -> float:
    durations = []
    with torch.inference_mode():
        emulator.step(batch)
        for _ in range(NUM_REPEATS):
            _synchronise(batch)
            start = time.perf_counter()
            emulator.step(batch)
            _synchronise(batch)
            durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def _synchronise(batch: Batch) -> None:
    if batch.time_step.is_cuda:
        torch.cuda.synchronize(batch.time_step.device)


def _reset_peak_memory(batch: Batch) -> None:
    counter = Path("/proc/self/clear_refs")
    if batch.time_step.is_cuda:
        torch.cuda.reset_peak_memory_stats(batch.time_step.device)
    elif counter.exists():
        counter.write_text("5")  # Linux: the high-water mark starts again


def _peak_memory(batch: Batch) -> int:
    if batch.time_step.is_cuda:
        return torch.cuda.max_memory_allocated(batch.time_step.device)
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
