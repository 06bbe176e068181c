"""What the processes of a server hold in memory, by the part that each plays in it.  For Linux."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

KERNEL = "kernel"
INTERPRETER = "interpreter"
SERVER = "server"
_KERNEL_MODULE = b"kernels.kernel"
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(root: int) -> dict[str, float]:
    """Megabytes resident (RSS) of ``root`` and all that descends from it, summed by part.

    A kernel's children are interpreters; what is neither of them is the server's.
    """
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (parent := _parent(entry)) is not None:
            children[parent].append(int(entry.name))
    sums: dict[str, float] = defaultdict(float)
    left = [(root, SERVER)]
    while left:
        pid, inherited = left.pop()
        try:
            is_kernel = _KERNEL_MODULE in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
        except (OSError, IndexError):
            continue  # It has ended meanwhile.
        part = KERNEL if is_kernel and inherited == SERVER else inherited
        sums[part] += pages * _PAGE / 1e6
        below = INTERPRETER if part == KERNEL else part
        left += [(child, below) for child in children[pid]]
    return dict(sums)


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """How much the part that grew most has grown, in percent; a part that wasn't there before grew without bound."""
    return max((after[part] / before[part] - 1) * 100 if before.get(part) else float("inf") for part in after)


def _parent(process: Path) -> int | None:
    try:
        # The name in parentheses may hold anything.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None
