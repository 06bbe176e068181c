"""Writes the calls of rows in every style, from a seed: the same seed gives the same lines.

A line is what a black-box test of a server needs: the tools and messages of a request, the ``text`` that the
model answers with, and the calls that are ``expected`` of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import orjson

from tests.styles.cases import ROWS, Case, Style, cases, read_rows
from tests.styles.table import STYLES

Line = dict[str, Any]


def rendered(style: Style, case: Case, seed: int) -> Line | None:
    """The case in the style, None if it doesn't fit."""
    text = style.write(case, Random(f"{seed} {style.name} {case.id}"))
    if text is None:
        return None
    return {
        "id": f"{case.id}/{style.name}",
        "case": case.id,
        "style": style.name,
        "category": case.category,
        "tools": case.tools,
        "messages": case.messages,
        "text": text,
        "expected": case.expected if style.called else [],
    }


def by_style(styles: Sequence[Style], rows: Sequence[Case], seed: int, count: int) -> Iterator[Line]:
    """Up to ``count`` rows in each style, chosen by the seed among those that it fits."""
    for style in styles:
        order = list(rows)
        Random(f"{seed} {style.name}").shuffle(order)
        found = 0
        for case in order:
            if (line := rendered(style, case, seed)) is not None:
                yield line
                found += 1
                if found == count:
                    break


def by_row(styles: Sequence[Style], rows: Sequence[Case], seed: int) -> Iterator[Line]:
    """Every row in one style: of those that fit, the one that has waited longest."""
    waiting = list(styles)
    for case in rows:
        for place, style in enumerate(waiting):
            if (line := rendered(style, case, seed)) is not None:
                waiting.append(waiting.pop(place))
                yield line
                break


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.styles", description="Rows of calls as models write them.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=Path, default=ROWS, help="JSON Lines, gzipped or not (default: %(default)s)")
    parser.add_argument("--per-style", type=int, default=12, help="rows in each style (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="every row once, the styles in turns")
    parser.add_argument("--only", action="append", help="only styles whose name begins so; may be given again")
    parser.add_argument("--list", action="store_true", help="only the styles' names, with how many lines each has")
    options = parser.parse_args(arguments)
    styles = [style for style in STYLES if style.name.startswith(tuple(options.only or [""]))]
    rows = list(cases(read_rows(options.rows)))
    lines = (
        by_row(styles, rows, options.seed) if options.all else by_style(styles, rows, options.seed, options.per_style)
    )
    if options.list:
        counts = dict.fromkeys((style.name for style in styles), 0)
        for line in lines:
            counts[line["style"]] += 1
        sys.stdout.writelines(f"{name} {count}\n" for name, count in counts.items())
    else:
        for line in lines:
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return 0
