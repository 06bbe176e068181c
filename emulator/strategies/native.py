"""The upstream calls tools by itself: it gets the client's own request.

What it calls is proven like any other call, and what it writes is read like any other text, since many a server's
parser misses calls.  Nothing is asked again: what doesn't hold is another strategy's to do better.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from emulator.errors import StrategyUnfit
from emulator.ports import Capabilities
from emulator.strategies.code import Start, answer
from emulator.strategies.effects import PROBE, CodeTask, Effect, Sent


def native(task: CodeTask) -> Generator[Effect, Sent, None]:
    """Raises ModelFault and StrategyUnfit."""
    yield from answer(replace(task, repairs=0), Start([], native=True))


def native_if_probed(task: CodeTask) -> Generator[Effect, Sent, None]:
    """``native``, where a probe has shown that the upstream calls tools.  Raises as it does."""
    capabilities = yield PROBE
    assert isinstance(capabilities, Capabilities)
    if not capabilities.tools:
        raise StrategyUnfit("the model server was probed and calls no tools")
    yield from native(task)
