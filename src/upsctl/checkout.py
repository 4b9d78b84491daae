"""The git checkout that this code runs from, if it is one."""

import subprocess
from pathlib import Path

import upsctl

ROOT = Path(upsctl.__file__).parents[2]


def checkout_commit() -> str | None:
    """The commit that is checked out; None outside a checkout, without git, or where git does not trust the folder."""
    return _git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None


def present_commit() -> str:
    """The commit of this code, with `+changes` where files differ from it; `none` outside a checkout or without git."""
    commit = checkout_commit()
    if commit is None:
        return "none"
    return f"{commit}+changes" if has_changed_sources() else commit


def has_changed_sources() -> bool:
    """Whether files below `src` differ from that commit; yes where git cannot say."""
    return _git("status", "--porcelain", "--", "src") != ""


def _git(*words: str) -> str | None:
    try:
        answer = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
        return answer.stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
