"""``python -m kernels install``: makes the kernel known to Jupyter front ends on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kernels.spec import NAME, install


def main(argv: Sequence[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m kernels", description="The Jupyter kernel for tool programs.")
    command = parser.add_subparsers(required=True, metavar="install").add_parser(
        "install", help=f"install the kernelspec {NAME}, by default for all users"
    )
    place = command.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for this user only")
    place.add_argument("--prefix", help="under this prefix")
    place.add_argument(
        "--sys-prefix", action="store_const", const=sys.prefix, dest="prefix", help="in this interpreter's environment"
    )
    chosen = parser.parse_args(argv)
    try:
        folder = install(user=chosen.user, prefix=chosen.prefix)
    except OSError as error:
        print(f"python -m kernels: {error}; --user or --sys-prefix may be what you want.", file=sys.stderr)
        return 1
    print(f"Installed the kernelspec {NAME} in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
