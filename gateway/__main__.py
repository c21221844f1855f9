"""`ksz-gateway`, and `python -m gateway`: the commands, from the moment that they begin to be loaded."""

import sys

from gateway.collector import loading_what_stays

_INTERRUPTED = 130


def main() -> None:
    """Load the commands and run the one asked for; Ctrl-C ends it quietly, also while it loads."""
    try:
        # Imported here: loading takes long enough to be interrupted.
        with loading_what_stays():
            from gateway.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
