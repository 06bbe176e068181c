"""``make evidence``: which strategy gets the right calls out of a model, on 40 fixed cases.

    python -m benchmarks.strategies [--strategies code,two_pass] [--set tuning|validation] [--base-url URL] [-- FLAGS]

Every case is asked of a running emulator, once with each strategy (header ``X-Emulator-Strategy``), at temperature 0.
``--base-url`` is the emulator's; without it one is started here and stopped again, on whose command line ``FLAGS``
stand: without any it runs the small model of this machine.  The table is printed as Markdown, then as one line of JSON.

The cases (``cases.jsonl``; see README.md beside it) were chosen by rule before anything was tuned; ``validation`` holds
others by the same rule, which nothing may be tuned to.  An answer that is an error is wrong, also where no call is
wanted.
Exit codes: 0 measured, 1 the emulator could not be asked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.judging import Call, Case, Verdict, case_of, judged
from benchmarks.servers import emulator_alone
from benchmarks.wire import HOST, BrokenAnswer

CASES = Path(__file__).parent / "cases.jsonl"
SETS = ("tuning", "validation")
STRATEGIES = ("auto", "code", "guided", "bridge", "two_pass", "native")
_TOKENS = 400
_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one case: the calls, or None and the ``error``; the tokens and seconds it took."""

    calls: tuple[Call, ...] | None
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A strategy's line of the table.

    ``names``, ``values`` and ``exact`` count the call cases that are right (see ``judging``) of ``calls``; ``words``
    the cases without a call of ``no_calls``; tokens and seconds are means of a case, ``seconds`` the median.
    """

    strategy: str
    calls: int
    names: int
    values: int
    exact: int
    no_calls: int
    words: int
    errors: int
    prompt_tokens: float
    completion_tokens: float
    seconds: float


Asking = Callable[[Case, str], Answer]
"""A case and a strategy → its answer.  Raises BrokenAnswer where nobody answers."""


def main(arguments: Sequence[str]) -> int:
    """Measure what ``arguments`` ask for; returns the exit code."""
    options = options_of(arguments)
    cases = read_cases(options.set)
    try:
        with _address(options) as address:
            rows = [_measured(name, cases, _asking(address, options), options) for name in options.strategies]
    except (BrokenAnswer, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(f"\n{markdown(rows)}\n")
    print(json.dumps({"set": options.set, "strategies": [asdict(row) for row in rows]}))
    return 0


def read_cases(name: str) -> list[Case]:
    """The cases of the set ``name``."""
    rows = map(json.loads, CASES.read_text(encoding="utf-8").splitlines())
    return [case_of(row) for row in rows if row["set"] == name]


def row_of(strategy: str, cases: Sequence[Case], answers: Sequence[Answer]) -> Row:
    """The line of the table for ``answers``, one for each case."""
    verdicts = [_verdict(case, answer) for case, answer in zip(cases, answers, strict=True)]
    called = [verdict for case, verdict in zip(cases, verdicts, strict=True) if case.expected]
    silent = [verdict for case, verdict in zip(cases, verdicts, strict=True) if not case.expected]
    return Row(
        strategy=strategy,
        calls=len(called),
        names=sum(verdict.names for verdict in called),
        values=sum(verdict.values for verdict in called),
        exact=sum(verdict.exact for verdict in called),
        no_calls=len(silent),
        words=sum(verdict.names for verdict in silent),
        errors=sum(answer.calls is None for answer in answers),
        prompt_tokens=round(statistics.fmean(answer.prompt_tokens for answer in answers), 1),
        completion_tokens=round(statistics.fmean(answer.completion_tokens for answer in answers), 1),
        seconds=round(statistics.median(answer.seconds for answer in answers), 2),
    )


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = "| Strategy | Calls: names | values | exact | No call | Errors | Tokens in | out | Seconds |"
    lines = [
        f"| {row.strategy} | {row.names}/{row.calls} | {row.values} | {row.exact} | {row.words}/{row.no_calls} "
        f"| {row.errors} | {row.prompt_tokens:g} | {row.completion_tokens:g} | {row.seconds:g} |"
        for row in rows
    ]
    return "\n".join([head, "| --- |" + " ---: |" * 8, *lines])


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The flags, and as ``flags`` what stands behind ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.strategies",
        description="The strategies beside each other; what stands behind -- are flags of the emulator's.",
    )
    parser.add_argument("--base-url", help="of a running emulator, with its /v1; none: one is started")
    parser.add_argument("--api-key", default="none", help="for that emulator's model server")
    parser.add_argument("--model", default="", help="the model to ask for (default: the server's own)")
    parser.add_argument("--set", choices=SETS, default="tuning", help="which cases (default: tuning)")
    parser.add_argument("--strategies", type=_names, default=STRATEGIES, help="some of " + ",".join(STRATEGIES))
    parser.add_argument("--clients", type=int, default=2, help="cases asked at once (default: 2)")
    parser.add_argument("--show", action="store_true", help="print each wrong answer, too")
    options = parser.parse_args(arguments[:end])
    options.flags = arguments[end + 1 :]
    return options


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names).difference(STRATEGIES):
        raise argparse.ArgumentTypeError(f"there is no strategy {min(unknown)!r}")
    return names


@contextmanager
def _address(options: argparse.Namespace) -> Generator[str]:
    if options.base_url:
        yield options.base_url.rstrip("/")
        return
    with emulator_alone(options.flags) as server:
        yield f"http://{HOST}:{server.port}/v1"


def _asking(address: str, options: argparse.Namespace) -> Asking:
    def asking(case: Case, strategy: str) -> Answer:
        body = {"model": options.model, "messages": case.messages, "tools": case.tools}
        body |= {"temperature": 0, "seed": 1, "max_tokens": _TOKENS}
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {options.api_key}",
            "X-Emulator-Strategy": strategy,
        }
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{address}/chat/completions", data, headers)  # noqa: S310 - the user's own URL
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
                return answer_of(json.load(response), time.perf_counter() - begun)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            # A strategy that isn't to be had with this model server is wrong in every case, and no reason to stop.
            if error.code in (400, 401, 403, 404) and '"strategy_unavailable"' not in text:
                raise BrokenAnswer(f"status {error.code}: {text[:600]}") from None
            return Answer(None, text, seconds=time.perf_counter() - begun)

    return asking


def answer_of(body: dict[str, Any], seconds: float) -> Answer:
    """A chat completion → what came of the case.  Raises BrokenAnswer where it is none."""
    try:
        message: dict[str, Any] = body["choices"][0]["message"]
        usage: dict[str, int] = body.get("usage") or {}
        calls = tuple(
            Call(call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        )
        return Answer(calls, "", usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0), seconds)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise BrokenAnswer(f"no chat completion: {str(body)[:300]}") from error


def _measured(strategy: str, cases: Sequence[Case], ask: Asking, options: argparse.Namespace) -> Row:
    with ThreadPoolExecutor(options.clients) as pool:
        answers = list(pool.map(ask, cases, [strategy] * len(cases)))
    if options.show:
        for case, answer in zip(cases, answers, strict=True):
            if not _verdict(case, answer).values:
                print(_shown(case, answer))
    row = row_of(strategy, cases, answers)
    print(f"{strategy}: calls {row.names}/{row.calls}, without {row.words}/{row.no_calls}", flush=True)
    return row


def _verdict(case: Case, answer: Answer) -> Verdict:
    return judged(case, answer.calls) if answer.calls is not None else Verdict(False, False, False)


def _shown(case: Case, answer: Answer) -> str:
    made = answer.error if answer.calls is None else _as_code(answer.calls)
    return f"{case.id}\n  made   {made}\n  wanted {_as_code(case.expected)}"


def _as_code(calls: Sequence[Call]) -> str:
    shown = (f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})" for call in calls)
    return "; ".join(shown) or "no call"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
