"""How the time to read an answer grows with its length: four times the text may take little more than four times as
long.

Rule: every shape is read by itself, in the small pieces of a stream, and the calls that come out are counted, so that
no shape is quick because nothing of it was read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from benchmarks.report import Figure
from benchmarks.servers import Servers
from benchmarks.size import Size
from benchmarks.tokens import LIMITS, Declared
from benchmarks.wire import BrokenAnswer
from emulator.code.limits import CodeLimits
from emulator.code.reader import AnswerReader
from emulator.code.readings import Called
from emulator.code.vocabulary import Vocabulary
from emulator.tools.jobs import do
from emulator.tools.toolset import ToolSets

LONG, SHORT = 200_000, 50_000
"""Characters of the two answers that are compared."""
STATEMENTS = 500
"""Calls in the long answer, if its shape has several."""
PIECE = 7
"""Characters that come at once: about two tokens."""
_BOUND = LONG / SHORT * 1.5
_EACH = LONG // STATEMENTS
_WORDS = "The quick brown fox jumps over the lazy dog, and 3 < 4; see [1] or `this`, {that} and so on.\n"


@dataclass(frozen=True, slots=True)
class Shape:
    """``write`` makes an answer of about so many characters, and tells how many calls are in it."""

    name: str
    write: Callable[[int], tuple[str, int]]


def reading(_servers: Servers, size: Size) -> list[Figure]:
    """Figures of all shapes."""
    return [_figure(shape, size.readings) for shape in SHAPES]


def _figure(shape: Shape, rounds: int) -> Figure:
    times = [[read_once(shape, length) for length in (SHORT, LONG)] for _ in range(rounds)]
    took = {length: 1000 * min(column) for length, column in zip((SHORT, LONG), zip(*times, strict=True), strict=True)}
    parts = {f"{length // 1000} KB ms": milliseconds for length, milliseconds in took.items()}
    what = f"time to read {LONG // 1000} KB of {shape.name} to that of {SHORT // 1000} KB, {PIECE} characters at a time"
    return Figure(f"reading-{shape.name.replace(' ', '-')}", what, took[LONG] / took[SHORT], parts, _BOUND)


def read_once(shape: Shape, length: int) -> float:
    """Seconds of processor time.  Raises BrokenAnswer if other calls come out than the shape has."""
    text, expected = shape.write(length)
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    begun = time.process_time()
    reader = AnswerReader(_vocabulary(), CodeLimits())
    readings = [reading for piece in pieces for reading in reader.feed(piece)]
    readings += reader.finish("stop")
    took = time.process_time() - begun
    found = sum(isinstance(reading, Called) for reading in readings)
    if found != expected:
        raise BrokenAnswer(f"{shape.name}: {found} calls were read, {expected} are written")
    return took


@cache
def _vocabulary() -> Vocabulary:
    schema = {
        "type": "object",
        "properties": {"to": {"type": "string"}, "text": {"type": "string"}},
        "required": ["text"],
    }
    tools = ToolSets(lambda jobs: [do(job) for job in jobs], LIMITS, 1 << 20).get([Declared("send", schema)])
    return Vocabulary(dict(tools.by_name), {})


def _call(number: int) -> str:
    head = f'send(to="{number}", text="'
    return f'{head}{_filling(_EACH - len(head) - 3)}")\n'


def _filling(length: int) -> str:
    """So many characters for a string: brackets, hashes and words, but no quote or line's end."""
    words = "words (in brackets) # and {more} of them, "
    return (words * (length // len(words) + 1))[:length]


def _calls(before: str, after: str, call: Callable[[int], str] = _call) -> Callable[[int], tuple[str, int]]:
    """An answer of calls alone, in a frame."""

    def write(length: int) -> tuple[str, int]:
        count = length // _EACH
        return before + "".join(map(call, range(count))) + after, count

    return write


def _words(before: str, after: str, words: str = _WORDS, calls: int = 0) -> Callable[[int], tuple[str, int]]:
    """An answer of words in a frame, with that many calls in all."""
    return lambda length: (before + words * (length // len(words)) + after, calls)


def _object(number: int) -> str:
    def with_text(text: str) -> str:
        return json.dumps({"name": "send", "arguments": {"to": str(number), "text": text}})

    return with_text(_filling(_EACH - len(with_text("")) - len("<tool_call>\n\n</tool_call>\n")))


def _element(number: int) -> str:
    return f"<parameter=to>\n{number}\n</parameter>\n<parameter=text>\n{_filling(_EACH - 150)}\n</parameter>\n"


def _listed(length: int) -> tuple[str, int]:
    count = length // _EACH
    return "[" + ",\n ".join(map(_object, range(count))) + "]", count


SHAPES = (
    Shape("fenced calls", _calls("```python\n", "```\n")),
    Shape("bare calls", _calls("", "")),
    Shape("calls without a closing fence", _calls("```python\n", "")),
    Shape("calls behind prompts", _calls("```python\n", "```\n", lambda number: f">>> {_call(number)}")),
    Shape("blocks", _calls("", "", lambda number: f"Next:\n```python\n{_call(number)}```\n")),
    Shape("prose", _words("", "")),
    Shape("one line of prose", _words("", "", _WORDS.replace("\n", " "))),
    Shape("one line of spaces", lambda length: ("x" + " " * length + "y", 0)),
    Shape("spaces behind a token", lambda length: ("So. </s>" + " " * length + "y", 0)),
    Shape("one long string", _words('send(text="', '")\n', _filling(1000), calls=1)),
    Shape("one string of many lines", _words('```python\nsend(text="""', '""")\n```\n', calls=1)),
    Shape("a string that never ends", _words('```python\nsend(text="""', "\n```\n")),
    Shape("a bracket that never closes", _words("```python\nx = [\n", "```\n", f'"{_filling(90)}",\n')),
    Shape("a comment", _words("```python\n", 'send(text="a")\n```\n', f"# {_WORDS}", calls=1)),
    Shape("another language", _words("```json\n", "```\n", f'{{"a": "{_filling(90)}"}}\n')),
    Shape("a thought", _words("<think>\n", '</think>\nsend(text="a")\n', calls=1)),
    Shape("a thought that is not opened", _words("Okay, the user wants it. ", '</think>\nsend(text="a")\n', calls=1)),
    Shape("tagged objects", _calls("", "", lambda number: f"<tool_call>\n{_object(number)}\n</tool_call>\n")),
    Shape(
        "tagged elements",
        _calls("", "", lambda number: f"<tool_call>\n<function=send>\n{_element(number)}</function>\n</tool_call>\n"),
    ),
    Shape("a bare list of objects", _listed),
    Shape("a tag that never closes", _words("<tool_call>\n", "")),
)
