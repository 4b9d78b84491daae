"""What a person probably meant by a name that is not known."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name` in backticks, or all of them where none is alike."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"`{close[0]}`"
    return "one of " + ", ".join(names) if names else "nothing, as there is none yet"
