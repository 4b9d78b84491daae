"""The entry of the program `upsctl`: Ctrl-C while the verbs are being imported ends it in one line too."""

from typing import NoReturn

from upsctl import stop_signals


def main() -> NoReturn:
    """Import the verbs and run the one that was typed."""
    stop_signals.leave_at_once()
    from upsctl.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
