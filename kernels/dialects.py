"""How a program is put to the kernel of this project, ``tool-program``, and how its report is read.

Rule: a report travels as JSON text inside the message.  The serializers of Jupyter's clients and servers differ in
what they do to NaN, large integers and lone surrogates, and a text comes through all of them as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.runs import BadOutcome, Outcome, ProgramRun, encoded
from kernels.interface import Content

OWN_KERNEL = "tool-program"
"""The name of this project's kernelspec."""
EXPRESSION = "tool_program"
"""The key in ``user_expressions`` of the request and of the reply."""

_SHOWN = 500


class ToolPrograms:
    """The ``Dialect`` of ``kernels/kernel.py``: the source is the code, the rest of the run a user expression."""

    incremental = True

    def content(self, run: ProgramRun) -> Content:
        asked = run.to_json()
        source = asked.pop("source")
        return silent_request(source, {EXPRESSION: encoded(asked)})

    def outcome(self, reply: Content) -> Outcome:
        """Raises BadOutcome."""
        try:
            return Outcome.from_json(json.loads(reported(reply, EXPRESSION)))
        except (ValueError, RecursionError) as error:
            raise BadOutcome(f"a kernel's report is no JSON: {error}") from None


def run_of(code: str, asked: str) -> ProgramRun:
    """The kernel's side of ``ToolPrograms.content``.  Raises KeyError, TypeError or ValueError."""
    return ProgramRun.from_json(json.loads(asked) | {"source": code})


def report_of(outcome: Outcome) -> Content:
    """The kernel's side of ``ToolPrograms.outcome``.  Raises ValueError or RecursionError where JSON can't hold it."""
    return {EXPRESSION: {"status": "ok", "data": {"text/plain": encoded(outcome.to_json())}, "metadata": {}}}


def silent_request(code: str, user_expressions: Mapping[str, str]) -> Content:
    """An execute_request's content that leaves no trace in the kernel's history and asks nobody anything."""
    return {
        "code": code,
        "silent": True,
        "store_history": False,
        "user_expressions": dict(user_expressions),
        "allow_stdin": False,
        "stop_on_error": True,
    }


def reported(reply: Content, expression: str) -> str:
    """The text/plain of the user expression ``expression`` in a reply.  Raises BadOutcome where there is none."""
    found: Any = reply
    for key in ("user_expressions", expression, "data", "text/plain"):
        found = found.get(key) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(found, str):
        said = [str(reply.get(key))[:_SHOWN] for key in ("status", "ename", "evalue") if reply.get(key) is not None]
        raise BadOutcome(f"a kernel's reply holds no report ({': '.join(said)})")
    return found
