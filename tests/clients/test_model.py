"""The clients' tests prove nothing unless their model has no tool calling, and does what a request's script says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, cast

import openai
import pytest

from tests.clients.model import GREETING, Model, answer
from tests.live.server import ROOT
from tests.live.upstream import PATIENCE, Hold

pytestmark = pytest.mark.clients

FUNCTIONS = """\
Functions:
```python
class Stop(BaseModel): # A place.
 city: str
 nights: int=1

def book_trip(*, stops: list[Stop], kind: Literal["a", "b"], paid: dict[str, float], note: str | None=None) -> Any: ...

def get_weather(*, city: str) -> Any: ...
```

"""
REFUSED: dict[str, dict[str, Any]] = {
    "tools": {"tools": [{"type": "function", "function": {"name": "now"}}]},
    "functions": {"functions": [{"name": "now"}]},
    "a choice": {"tool_choice": "auto"},
    "a result": {"messages": [{"role": "tool", "tool_call_id": "1", "content": "12:34"}]},
    "a call": {"messages": [{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}]},
    "no content": {"messages": [{"role": "assistant", "content": None}]},
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """It is started as anybody may start it."""
    command = [sys.executable, "-m", "tests.clients.model"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        yield client


def said(client: openai.OpenAI, *texts: str, **options: Any) -> str:
    """The answer to a conversation in which user and assistant take turns."""
    messages: Any = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]
    return cast(Any, client.chat.completions.create(model="m", messages=messages, **options)).choices[0].message.content


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_whatever_is_of_tool_calling_is_refused(client: openai.OpenAI, given: dict[str, Any]) -> None:
    """So that a server in front of it can pass nothing on."""
    body: Any = {"messages": [{"role": "user", "content": "Hello!"}], **given}
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="m", **body)


RULES: dict[str, tuple[tuple[str, ...], str]] = {
    "a greeting": (("Hello!",), GREETING),
    "a script's first round": (
        ("Do it.\n@words Well.\n@1 f(1)\n@1 g(2)\n@2 h(3)",),
        "Well.\n\n```python\nf(1)\ng(2)\n```",
    ),
    "a script's second round": (
        ("Do it.\n@1 f(1)\n@2 h(3)", "f(1)", "Result of f(1):\n```result\n7\n```"),
        "```python\nh(3)\n```",
    ),
    "results in words": (
        ("Do it.\n@1 f(1)", "f(1)", "Result of f(1):\n```result\n7\n```\n\nError of f(2):\n````result\n```\n````"),
        "The results are: 7; an error, ```",
    ),
    "results that a user tells of": (
        ("New task:\nDo it.\n@1 f(1)", "I did.", "Observation:\n7\nError:\nNo.\nNow again."),
        "The results are: 7; an error, No.\nNow again.",
    ),
    "a program's output": (("Do it.", "f(1)", "Output of the code:\n```result\n7\n```\nAnswer."), "The code says: 7"),
    "a complaint": (
        ("Do it.\n@1 f(1)\n@repair f(2)", "f(1)", "This statement could not be used:\nf(1)"),
        "```python\nf(2)\n```",
    ),
    "a function that is spoken of": (
        (f"{FUNCTIONS}What is the weather in New York?",),
        '```python\nget_weather(city="New York")\n```',
    ),
    "a function that must be called": (
        (f"{FUNCTIONS}Answer with calls of `book_trip`.\n\n2 nights in 'Rome', b, 7.5",),
        '```python\nbook_trip(stops=[Stop(city="Rome")], kind=\'b\', paid={"one": 2})\n```',
    ),
    "a format": (
        (
            "Your answer is JSON and nothing else: no words around it, no fence. It must fit this JSON Schema:\n"
            + json.dumps(
                {
                    "$defs": {"a": {"type": "array", "items": {"type": "integer"}}},
                    "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"anyOf": [{"enum": ["no", "yes"]}]}},
                }
            )
            + "\n\nIs it 4? Yes.",
        ),
        '{"x": [4], "y": "yes"}',
    ),
}


@pytest.mark.parametrize(("texts", "answer"), RULES.values(), ids=RULES)
def test_it_answers_by_its_rules(client: openai.OpenAI, texts: tuple[str, ...], answer: str) -> None:
    """Each is relied on by some client's suite."""
    assert said(client, *texts) == answer


def test_it_heeds_limits(client: openai.OpenAI) -> None:
    """As real model servers do."""
    assert said(client, "Hello!", stop=["How"]) == "Hello! "
    assert said(client, "Hello!", max_tokens=1) == "Hell"


def test_it_fails_and_waits_as_it_is_told() -> None:
    """A client that leaves is seen."""
    model, hold = Model(), Hold()
    model.script = lambda asked: answer(asked, lambda: hold)
    with openai.OpenAI(base_url=model.url, api_key="sk-test", max_retries=0) as client:
        with pytest.raises(openai.RateLimitError):
            said(client, "@status 429")
        messages: Any = [{"role": "user", "content": "Hello!\n@hold"}]
        with client.chat.completions.create(model="m", messages=messages, stream=True) as stream:
            next(iter(stream))
            assert hold.reached.wait(PATIENCE)
        assert hold.left.wait(PATIENCE)
    model.shutdown()
    model.server_close()
