"""Stubs of several tools → one text, in which what they have in common is said once.

Rule: a class name means one thing in the whole set; what stands once holds for every tool it was taken from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emulator.tools.toolstub import ToolStub

_COMMON = 3
"""Tools from which a parameter's note is worth a place of its own."""

_LONG = 32
"""Characters from which a note that is said once, under a headline, is shorter than said again."""


def written_together(stubs: Sequence[ToolStub]) -> str:
    """The text for the prompt: notes that several functions share, then each tool, its classes before its function."""
    shared = _shared_notes(stubs)
    blocks = (
        ["\n".join(["# In several functions:", *(f"# {line}{but}" for line, but in shared.items())])] if shared else []
    )
    classes: set[str] = set()
    for stub in stubs:
        blocks += [text for name, text in stub.classes.items() if name not in classes]
        blocks.append(stub.function(shared))
        classes |= stub.classes.keys()
    return "\n\n".join(blocks)


def _shared_notes(stubs: Sequence[ToolStub]) -> dict[str, str]:
    """For a parameter's name its most frequent note line, if it is worth it, and for which tools it isn't meant.

    Those are the tools whose parameter of that name has no note; one that has another note says so itself.
    """
    told: dict[str, Counter[str]] = {}
    silent: dict[str, list[str]] = {}
    for stub in stubs:
        for name in stub.parameters:
            if note := stub.notes.get(name):
                told.setdefault(name, Counter())[f"{name}: {note}"] += 1
            else:
                silent.setdefault(name, []).append(stub.python_name)
    shared: dict[str, str] = {}
    for name, lines in told.items():
        line, times = lines.most_common(1)[0]
        but = f" (not in {', '.join(silent[name])})" if name in silent else ""
        if times >= _COMMON and len(line) >= _LONG and len(but) < len(line) * (times - 2):
            shared[line] = but
    return shared


def clashing_classes(stubs: Sequence[ToolStub]) -> dict[int, set[str]]:
    """Index of a stub → those of its class names that mean something else in the set.

    The first tool keeps a name, unless a function has it; the very same class in several tools is no clash.
    """
    functions = {stub.python_name for stub in stubs}
    meaning: dict[str, str] = {}
    found: dict[int, set[str]] = {}
    for index, stub in enumerate(stubs):
        wrong = {
            name for name, text in stub.classes.items() if name in functions or meaning.setdefault(name, text) != text
        }
        if wrong:
            found[index] = wrong
    return found
