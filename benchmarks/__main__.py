"""``make bench``: measures the emulator beside a bare Flask app and says which bounds hold.

Exit codes: 0 measured, 1 a bound was missed (with --strict) or an answer was wrong.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Sequence

from benchmarks.measures import MEASURES
from benchmarks.report import Figure, json_line
from benchmarks.servers import running
from benchmarks.size import FULL, QUICK
from benchmarks.wire import BrokenAnswer


def main(arguments: Sequence[str]) -> int:
    """Measure what ``arguments`` ask for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The emulator beside a bare Flask app.")
    parser.add_argument("--quick", action="store_true", help="few samples, within about a minute")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a bound is missed")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="only this; may be given again")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server (default: 2)")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    try:
        figures = _measured(options.only or list(MEASURES), quick=options.quick, workers=options.workers)
    except (BrokenAnswer, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    missed = [figure.name for figure in figures if not figure.kept]
    verdict = "missed: " + ", ".join(missed) if missed else "all bounds kept"
    print(f"{verdict}; {time.monotonic() - begun:.0f} s")
    print(json_line(figures))
    return 1 if missed and options.strict else 0


def _measured(names: Sequence[str], *, quick: bool, workers: int) -> list[Figure]:
    """All figures of the measurements ``names``, printed as they come."""
    figures: list[Figure] = []
    with running(workers) as servers:
        # A collection of garbage here would be taken for a server's delay.
        gc.disable()
        for name in names:
            for figure in MEASURES[name](servers, QUICK if quick else FULL):
                print(figure.line(), flush=True)
                figures.append(figure)
            gc.collect()
    return figures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
