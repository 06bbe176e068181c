"""What the scripted model understands of the prompt that it is shown: the request, the functions, what has come back.

Rule: only the text of the messages counts, as for a real model; nothing is known of the server that made them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

Json = dict[str, Any]

_RESULT = re.compile(r"(Result|Error) of ([^\n]*):\n(`{3,})result\n(.*?)\n?\3(?:\n+|$)", re.DOTALL)
_OUTPUT = re.compile(r"Output of the code:\n(`{3,})result\n(.*?)\n?\1\n", re.DOTALL)
_FUNCTIONS = re.compile(r"Functions:\n```python\n(.*?)\n```(?:\n+|$)", re.DOTALL)
_NAMED = re.compile(r"Answer with calls of `(.+)`\.(?:\n+|$)")
_REQUIRED = re.compile(r"Answer with a call; words alone are not enough\.(?:\n+|$)")
_SINGLE = re.compile(r"Make one call only\.(?:\n+|$)")
_FORMAT = re.compile(
    r"(?:When you answer without calls, your|Your) answer is JSON and nothing else: no words around it, no fence\."
    r"(?: It must fit this JSON Schema:\n(.*?)| It is one object\.)(?:\n\n|$)",
    re.DOTALL,
)
_REPAIR = re.compile(
    r"^(?:Your answer has no call|Your answer could not be used|Your answer is empty|Your code ran to its end"
    r"|These calls have been made and must|This statement could not be used|The code that made these calls was)",
    re.MULTILINE,
)
_HEADED = re.compile(r"^(New task|Observation|Error|Validation Error found):\n", re.MULTILINE)
"""smolagents and Instructor tell of what came of calls in a user's words, maybe several of them in one message."""
_WHETHER = "Is one of these functions made for this request? Answer yes or no."


@dataclass(frozen=True)
class Result:
    text: str
    error: bool


@dataclass
class Prompt:
    """``rounds``: how often results have come since the request; ``format`` is the schema of the words, if they are to
    be JSON."""

    request: str = ""
    system: str = ""
    functions: ast.Module = field(default_factory=lambda: ast.parse(""))
    named: str | None = None
    required: bool = False
    single: bool = False
    format: Json | None = None
    results: list[Result] = field(default_factory=list[Result])
    rounds: int = 0
    output: str | None = None
    repair: bool = False
    whether: bool = False
    pictures: int = 0

    def see_user(self, text: str, pictures: int) -> None:
        """The next user's message: results, what a program printed, or a new request."""
        results = [Result(match[4], match[1] == "Error") for match in _RESULT.finditer(text)]
        rest = _RESULT.sub("", text)
        if results:
            self.results += results
            self.rounds += 1
        self.repair = bool(_REPAIR.search(rest))
        self.whether = rest.endswith(_WHETHER)
        output = _OUTPUT.search(rest)
        self.output = output[2] if output else None
        if rest.strip() and not (self.repair or self.whether or output):
            first, *headed = _HEADED.split(self._see_brief(rest))
            for head, told in [("New task", first), *zip(headed[::2], headed[1::2], strict=True)]:
                self._see_words(head, told.strip())
            self.pictures = pictures

    def _see_words(self, head: str, told: str) -> None:
        if head == "New task" and told:
            self.results, self.rounds, self.request = [], 0, told
        elif told:
            self.results.append(Result(told, "Error" in head))
            self.rounds += 1

    def _see_brief(self, text: str) -> str:
        """What is said of functions, calls and formats; the rest of the message is the client's own."""
        if stubs := _FUNCTIONS.search(text):
            self.functions = ast.parse(stubs[1])
        named, format = _NAMED.search(text), _FORMAT.search(text)
        self.named, self.required, self.single = (
            named and named[1],
            bool(_REQUIRED.search(text)),
            bool(_SINGLE.search(text)),
        )
        self.format = None if format is None else cast(Json, json.loads(format[1] or "{}"))
        for told in (_FUNCTIONS, _NAMED, _REQUIRED, _SINGLE, _FORMAT):
            text = told.sub("", text, count=1)
        return text.strip()


def read_prompt(messages: Sequence[Json]) -> Prompt:
    """What the last request is, and how far it has got."""
    prompt = Prompt()
    for message in messages:
        content: str | list[Json] = message["content"]
        parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        text = "\n\n".join(part["text"] for part in parts if part["type"] == "text")
        if message["role"] == "system":
            prompt.system += text
        elif message["role"] == "user":
            prompt.see_user(text, sum(part["type"] == "image_url" for part in parts))
    return prompt
