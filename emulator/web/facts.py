"""What the statistics are told of a request when it is over."""

from __future__ import annotations

from collections.abc import Callable

from emulator.protocols.request import TurnRequest
from emulator.service import Emulator
from emulator.stats.facts import RequestFacts
from emulator.stats.savings import Saved, completion_saved, prompt_saved
from emulator.turn import Turn

Report = Callable[[bool | None, float], RequestFacts]


def passed_facts(core: Emulator, model: str, *, stream: bool) -> Report:
    """Of a request that was passed through; how long the model server took for it, nobody looked."""

    def report(succeeded: bool | None, ms: float) -> RequestFacts:
        return RequestFacts(
            upstream=core.upstream_name,
            model=model,
            succeeded=succeeded,
            ms=ms,
            own_ms=0.0,
            stream=stream,
        )

    return report


def turn_facts(core: Emulator, request: TurnRequest, turn: Turn) -> Report:
    """Of a request that a turn answered, or failed to."""

    def report(succeeded: bool | None, ms: float) -> RequestFacts:
        progress = turn.progress
        return RequestFacts(
            upstream=core.upstream_name,
            model=core.model_of(request),
            strategy=progress.strategy,
            rungs_tried=tuple(progress.used),
            succeeded=succeeded,
            repairs=progress.repairs,
            calls=turn.calls,
            asked=progress.asked,
            ms=ms,
            own_ms=progress.own_ms,
            stream=request.stream,
            usage=turn.usage,
            saved=_saved(request, turn),
        )

    return report


def _saved(request: TurnRequest, turn: Turn) -> Saved:
    stubs = turn.sizes.stubs
    if turn.progress.strategy in ("native", "bridge") or not stubs:
        return Saved()
    prompt = prompt_saved(len(request.tools.tools), request.tools.size, stubs, turn.progress.asked)
    if not turn.calls:
        return Saved(prompt)
    written = sum(map(len, turn.trace.answers)) - turn.sizes.words
    return Saved(prompt, completion_saved(turn.calls, turn.sizes.calls, written))
