"""`python -m bot`, and the entry point of the installed programs."""

import sys

from bot import cli


def main() -> None:
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
