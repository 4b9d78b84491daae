"""The git checkout that this code runs from, if it is one."""

import subprocess
from pathlib import Path

import upsctl

ROOT = Path(upsctl.__file__).parents[2]


def checkout_commit() -> str | None:
    """The commit that is checked out; None outside a checkout, without git, or where git does not trust the folder."""
    return _git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None


def has_changed_sources() -> bool:
    """Whether files below `src` differ from that commit; yes where git cannot say."""
    return _git("status", "--porcelain", "--", "src") != ""


def _git(*words: str) -> str | None:
    try:
        answer = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
        return answer.stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
