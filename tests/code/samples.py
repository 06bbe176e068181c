"""Answers as models write them, with what is to be read from them; shared by the tests of the readers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.code.limits import CodeLimits
from emulator.code.reader import AnswerReader
from emulator.code.readings import Called, Mused, Reading, Said
from emulator.code.vocabulary import Vocabulary
from emulator.tools.toolset import Proof
from tests.code.running import run_step


@dataclass(frozen=True)
class Tool:
    """A tool that takes its parameters and nothing else."""

    name: str
    parameters: tuple[str, ...]

    choices: tuple[str, ...] = ()

    def prove(self, arguments: Mapping[str, Any]) -> Proof:
        unknown = [key for key in arguments if key not in self.parameters]
        return (
            Proof(None, tuple(f"unexpected argument {key}" for key in unknown))
            if unknown
            else Proof(json.dumps(arguments))
        )


TOOLS = Vocabulary(
    {
        "get_weather": Tool("get-weather", ("city", "unit")),
        "send": Tool("send", ("to", "body", "options")),
        "now": Tool("now", ()),
    },
    {"SendOptions": ("urgent", "copies")},
)


def merged(readings: list[Reading]) -> list[Reading]:
    """Neighbouring pieces of one kind as one: where a text is cut is no part of what it says."""
    out: list[Reading] = []
    for reading in readings:
        last = out[-1] if out else None
        if isinstance(reading, Said) and isinstance(last, Said):
            out[-1] = Said(last.text + reading.text)
        elif isinstance(reading, Mused) and isinstance(last, Mused):
            out[-1] = Mused(last.text + reading.text)
        else:
            out.append(reading)
    return out


def read(
    text: str, *cuts: int, reason: str = "stop", stop_given: bool = False, **options: Any
) -> tuple[list[Reading], AnswerReader]:
    """Read ``text`` in the pieces between ``cuts``, and run what is due."""
    reader = AnswerReader(TOOLS, CodeLimits(), **options)
    readings: list[Reading] = []
    edges = [0, *cuts, len(text)]
    for begin, end in itertools.pairwise(edges):
        readings += reader.feed(text[begin:end])
        readings += run_due(reader)
    readings += reader.finish(reason, stop_given=stop_given)
    readings += run_due(reader)
    return merged(readings), reader


def run_due(reader: AnswerReader) -> list[Reading]:
    """Run the steps that are due on the real interpreter, until none is."""
    readings: list[Reading] = []
    while reader.is_due:
        step = reader.due()
        readings += reader.taken() if step is None else reader.ran(run_step(step, TOOLS.names))
    return readings


def call(name: str, **arguments: Any) -> Called:
    return Called(name, json.dumps(arguments))


PARIS = call("get-weather", city="Paris")
ROME = call("get-weather", city="Rome")

SAMPLES: dict[str, tuple[str, list[Reading]]] = {
    "prose": ("The answer is 42.\n", [Said("The answer is 42.\n")]),
    "prose with inline code": (
        "Use `now()` or get_weather(city) for it.",
        [Said("Use `now()` or get_weather(city) for it.")],
    ),
    "fence": ('```python\nget_weather(city="Paris")\n```', [PARIS]),
    "prose before, between and behind": (
        'Sure!\n\n```python\nget_weather(city="Paris")\n```\nand\n```py\nget_weather(city="Rome")\n```\nDone.',
        [Said("Sure!"), PARIS, Said("\n\n\nand"), ROME, Said("\n\nDone.")],
    ),
    "no language": ("```\nnow()\n```", [call("now")]),
    "tildes": ("~~~python\nnow()\n~~~", [call("now")]),
    "no fence": ('get_weather(city="Paris")\nget_weather(city="Rome")', [PARIS, ROME]),
    "no fence, prose around": (
        'Let us see.\nget_weather(city="Paris")\nThat is all.',
        [Said("Let us see."), PARIS, Said("\nThat is all.")],
    ),
    "no fence, assignment first": ('city = "Paris"\nget_weather(city=city)\n', [PARIS]),
    "unclosed fence": ('```python\nget_weather(city="Paris")', [PARIS]),
    "fence on one line": ('```python get_weather(city="Paris")```', [PARIS]),
    "fence behind words": ('Here: ```python\nget_weather(city="Paris")\n```', [Said("Here:"), PARIS]),
    "fence in a list": ('1. ```python\n   get_weather(city="Paris")\n   ```\n', [PARIS]),
    "block indented": ('```python\n    get_weather(city="Paris")\n    get_weather(city="Rome")\n```', [PARIS, ROME]),
    "windows line ends": ('```python\r\nget_weather(city="Paris")\r\n```\r\n', [PARIS]),
    "backticks in a string": ("```python\nsend(to='a', body='```')\n```", [call("send", to="a", body="```")]),
    "fence in a long string": (
        '```python\nsend(to="a", body="""\n```python\nnow()\n```\n""")\n```',
        [call("send", to="a", body="\n```python\nnow()\n```\n")],
    ),
    "call over lines": ('```python\nget_weather(\n    city="Paris",  # (the one in France\n)\n```', [PARIS]),
    "semicolons": ('```python\nget_weather(city="Paris"); get_weather(city="Rome")\n```', [PARIS, ROME]),
    "positional": ('get_weather("Paris")', [PARIS]),
    "spread": ('get_weather(**{"city": "Paris"})', [PARIS]),
    "one dict": ('send({"to": "a", "body": "b"})', [call("send", to={"to": "a", "body": "b"})]),
    "model object": (
        'send(to="a", options=SendOptions(urgent=True))',
        [call("send", to="a", options={"urgent": True})],
    ),
    "invented model": ('get_weather(GetWeatherArgs(city="Paris"))', [PARIS]),
    "invented model by name": ('get_weather(args=GetWeatherArgs(city="Paris"))', [PARIS]),
    "owner": ('tools.get_weather(city="Paris")', [PARIS]),
    "awaited, assigned, printed": (
        '```python\na = await get_weather(city="Paris")\nprint(get_weather(city="Rome"))\nprint(a)\n```',
        [PARIS, ROME],
    ),
    "list of calls": ('[get_weather(city="Paris"), get_weather(city="Rome")]', [PARIS, ROME]),
    "JSON's words": (
        'send(to="a", options={"urgent": true, "copies": null})',
        [call("send", to="a", options={"urgent": True, "copies": None})],
    ),
    "arithmetic": ('send(to="a" + "b", body=f"{2 + 3}!", options=-1)', [call("send", to="ab", body="5!", options=-1)]),
    "stub repeated": ('```python\ndef now() -> Any:\n    """x"""\n    ...\n\nnow()\n```', [call("now")]),
    "imports": ("```python\nfrom typing import Any\nimport json\nnow()\n```", [call("now")]),
    "thought": (
        "<think>\nget_weather(city='Rome')?\n</think>\n\nnow()",
        [Mused("get_weather(city='Rome')?"), call("now")],
    ),
    "thought with a block": (
        "<think>```python\nget_weather(city='Rome')\n```</think>Hello",
        [Mused("```python\nget_weather(city='Rome')\n```"), Said("Hello")],
    ),
    "unclosed thought": ("<think>I could call now()\nnow()", [Mused("I could call now()\nnow()")]),
    "fence in a string that never ends": (
        '```python\nx = """never\n```\nWell.\nget_weather(city="Rome")',
        [Said('```python\nx = """never\n```\nWell.'), ROME],
    ),
    "thought opened by the template": (
        "Okay, the user wants it.\n```python\nget_weather(city='Rome')\n```\n</think>\n\nnow()",
        [Mused("Okay, the user wants it.\n```python\nget_weather(city='Rome')\n```"), call("now")],
    ),
    "calls in what may be a thought wait for its end": (
        "I should call it.\n```python\nget_weather(city='Rome')\n```\n</think>\n```python\nget_weather(city='Paris')\n```",
        [Said("I should call it."), PARIS],
    ),
    "calls behind words that only may be a thought": (
        "I need to look it up.\n```python\nget_weather(city='Rome')\n```\nDone.",
        [Said("I need to look it up.\n\nDone."), ROME],
    ),
    "tag in capitals": (
        "<THINK>\nget_weather(city='Rome')\n</THINK>\nnow()",
        [Mused("get_weather(city='Rome')"), call("now")],
    ),
    "the client's own name": ('```python\nget-weather(city="Paris")\nx = get-weather(city="Rome")\n```', [PARIS, ROME]),
    "words that begin like a thought": ("Okay, the rest is done.", [Said("Okay, the rest is done.")]),
    "code that is the answer": (
        "Try:\n```python\nprint('hello')\n```\n",
        [Said("Try:\n```python\nprint('hello')\n```\n")],
    ),
    "another language": ('```json\n{"a": 1}\n```\nSo.', [Said('```json\n{"a": 1}\n```\nSo.')]),
    "invented result": ("now()\n```result\n12:00\n```\nIt is 12.", [call("now"), Said("It is 12.")]),
    "uses a result": ("t = now()\nsend(to='a', body=t)\nThe time is sent.", [call("now")]),
    "nested call": ("send(to='a', body=now())", [call("now")]),
    "unicode": ('get_weather(city="Zürich 東京 🙂")', [call("get-weather", city="Zürich 東京 🙂")]),
}
