"""The strategies by their names, and the rungs that a request may climb."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence

from emulator.strategies.bridge import bridge
from emulator.strategies.code import answer
from emulator.strategies.effects import CodeTask, Effect, Sent
from emulator.strategies.guided import guided
from emulator.strategies.ladder import Rung
from emulator.strategies.native import native, native_if_probed
from emulator.strategies.two_pass import two_pass

Strategy = Callable[[CodeTask], Generator[Effect, Sent, None]]

_STRATEGIES: Mapping[str, Strategy] = {
    "native": native,
    "guided": guided,
    "code": answer,
    "bridge": bridge,
    "two_pass": two_pass,
}


def rungs(task: CodeTask, order: Sequence[str], *, probe_native: bool = False) -> list[Rung]:
    """The strategies named in ``order``; ``probe_native``: the upstream's own tool calling stands first where a probe
    finds it.  Where no call is wanted there is only one way to ask."""
    if task.vocabulary is None:
        return [Rung("code", answer)]
    found = [Rung(name, _STRATEGIES[name]) for name in order]
    return [Rung("native", native_if_probed), *found] if probe_native and "native" not in order else found
