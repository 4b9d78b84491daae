"""The entry of the program `upsctl`: Ctrl-C while the verbs are being imported ends it in one line too."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Import the verbs and run the one that was typed."""
    try:
        from upsctl.cli import main as run_command
    except KeyboardInterrupt:
        sys.stderr.write("error: stopped before anything was done\n")
        sys.exit(130)
    run_command()


if __name__ == "__main__":
    main()
