"""The model answers with Python as in ``code``, while the upstream's decoding admits valid calls only."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from emulator.errors import StrategyUnfit
from emulator.ports import Capabilities
from emulator.strategies.code import answer
from emulator.strategies.effects import PROBE, CodeTask, Effect, Sent


def guided(task: CodeTask) -> Generator[Effect, Sent, None]:
    """Raises ModelFault, and StrategyUnfit where the upstream honours no grammar."""
    yield from answer(replace(task, fields=(yield from constraint(task))))


def constraint(task: CodeTask) -> Generator[Effect, Sent, dict[str, object]]:
    """The fields that hold the answer to valid calls.  Raises StrategyUnfit."""
    assert task.renderings is not None
    capabilities = yield PROBE
    assert isinstance(capabilities, Capabilities)
    fields = task.renderings.constraint(capabilities)
    if fields is None:
        raise StrategyUnfit("the model server honours no grammar, or none can be made for these tools and this model")
    return dict(fields)
