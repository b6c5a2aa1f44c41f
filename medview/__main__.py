"""Entry point: the command line, which opens the window when no subcommand is given."""

from __future__ import annotations

import multiprocessing
import sys


def main() -> None:
    """Run MedView with the arguments of this process."""
    multiprocessing.freeze_support()
    from medview.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
