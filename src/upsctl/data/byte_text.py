"""Sizes for people."""


def byte_text(num_bytes: float) -> str:
    """`2.3 MB`: three digits at most, in steps of a thousand."""
    for unit in ("B", "kB", "MB", "GB"):
        if num_bytes < 999.5:
            return f"{num_bytes:.3g} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.3g} TB"
