"""Whether this machine can do the work: Python, packages, cores, memory, disks, devices; and what to do where not."""

import importlib.metadata
import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from upsctl.cores import count_cores
from upsctl.data.cache import Cache
from upsctl.errors import DiskError
from upsctl.profile_kinds import PROFILE_KINDS
from upsctl.profile_reader import list_profiles, shipped_profiles
from upsctl.training.run_folder import runs_root

GIBIBYTE = 2**30
NEEDED_MEMORY = 4 * GIBIBYTE
NEEDED_DISK = 5 * GIBIBYTE
OLDEST_TORCH = (2, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        value: what was found.
        problem: what is wrong; empty when nothing is.
        next_step: what to do about it.
    """

    name: str
    value: str
    problem: str = ""
    next_step: str = ""


def examine_machine() -> list[Finding]:
    """Look at everything once; imports torch."""
    packages = list(_packages())
    return [_python(), *packages, *_processors(), _cache(), _disk("runs folder", runs_root()), _profiles()]


def locked_versions() -> dict[str, str]:
    """Package -> the version that upsctl is tested with, from the lock that ships with it."""
    inside = Path(__file__).parent / "requirements.lock"
    path = inside if inside.is_file() else Path(__file__).parents[2] / "requirements.lock"
    pinned = re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(pinned)


def required_packages() -> list[str]:
    """The packages that upsctl itself imports, without those of its development."""
    texts = [text for text in importlib.metadata.requires("upsctl") or [] if "extra ==" not in text]
    names = [name.group() for text in texts if (name := re.match(r"[\w.-]+", text))]
    return [re.sub(r"[._-]+", "-", name).lower() for name in names]


def _python() -> Finding:
    version = platform.python_version()
    is_known = version.split(".")[:2] in (["3", "11"], ["3", "12"], ["3", "13"])
    problem = "" if is_known else "not one of 3.11 to 3.13"
    return Finding("python", version, problem, "" if is_known else "make a new environment with Python 3.11")


def _packages() -> Iterator[Finding]:
    """One finding for each required package, one for all others of the lock that differ from it."""
    locked = locked_versions()
    required = required_packages()
    for name in required:
        yield _package(name, locked.get(name, ""))
    others = [name for name in locked if name not in required]
    differing = [f"{name} {found}" for name in others if (found := _installed(name)) not in ("", locked[name])]
    yield Finding("other packages", ", ".join(differing) + " (not as in the lock)" if differing else "as in the lock")


def _package(name: str, locked: str) -> Finding:
    found = _installed(name)
    if not found:
        return Finding(name, "missing", "not installed", f"pip install {name}=={locked}")
    if name == "torch" and tuple(int(part) for part in found.split(".")[:2]) < OLDEST_TORCH:
        return Finding(name, found, "older than 2.11", f"pip install torch=={locked}")
    return Finding(name, found if found == locked else f"{found} (tested with {locked})")


def _installed(name: str) -> str:
    """The installed version without its local part (`+cpu`), or nothing."""
    try:
        return importlib.metadata.version(name).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processors() -> Iterator[Finding]:
    yield Finding("cores", str(count_cores()))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    is_small = memory < NEEDED_MEMORY
    step = "use smaller batch sizes" if is_small else ""
    yield Finding("memory", _gibibytes(memory), "less than 4 GiB" if is_small else "", step)
    yield _devices()


def _devices() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("devices", "unknown", f"torch cannot be loaded ({error})", "install torch again")
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Finding("devices", ", ".join(["cpu", *names]))


def _cache() -> Finding:
    try:
        return _disk("data cache", Cache.default().root)
    except DiskError as error:
        return Finding("data cache", "not usable", error.problem, error.next_step)


def _disk(name: str, folder: Path) -> Finding:
    """Free space and permission where `folder` is or would be made."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    value = f"{folder.absolute()}, {_gibibytes(free)} free"
    if not os.access(place, os.W_OK):
        return Finding(name, value, "not writable", f"set {_variable(name)} to a folder of your own")
    if free < NEEDED_DISK:
        return Finding(name, value, "less than 5 GiB free", f"`upsctl data prune --max-gb N`, or set {_variable(name)}")
    return Finding(name, value)


def _variable(name: str) -> str:
    return "UPSCTL_DATA_ROOT" if name == "data cache" else "UPSCTL_RUNS_ROOT"


def _profiles() -> Finding:
    count = sum(len(list_profiles(kind)) for kind in PROFILE_KINDS)
    value = f"{count}, shipped in {shipped_profiles()}"
    if not shipped_profiles().is_dir():
        return Finding("profiles", value, "the shipped ones are missing", "install upsctl again")
    return Finding("profiles", value)


def _gibibytes(num_bytes: float) -> str:
    return f"{num_bytes / GIBIBYTE:.1f} GiB"
