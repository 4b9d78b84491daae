"""The page of exit codes."""

from upsctl.errors import ExitCode

HEAD = """# Exit codes

Made by `make docs` from `upsctl.errors.ExitCode`. An error is one line on standard error: what is wrong, what was
expected, what came, and what to do next.

| code | name | meaning |
|---|---|---|
"""


def exit_code_page() -> str:
    """Every named exit code with its meaning."""
    return HEAD + "".join(f"| {int(code)} | {code.name} | {code.meaning} |\n" for code in ExitCode)
