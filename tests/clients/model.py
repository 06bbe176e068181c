"""A model without tool calling that answers by rules over the prompt it is shown, for clients that run their own loops.

    python -m tests.clients.model --port 8099     # serve it alone; http://127.0.0.1:8099/v1

Rules, in this order.  Lines of the user's request (or else of the system text) that begin with ``@`` are its script:

    @1 get_weather(city="Paris")   code of the first answer; several lines make one block, in their order
    @2 add(a=1, b=2)               code of the answer behind the first results, and so on
    @words I will look.            words in front of the code
    @repair now()                  code of the answer to a complaint of the server (default: the same code again)
    @say It is sunny.              the words at the end (default: they repeat the results)
    @json {"city": "Paris"}        the words at the end where a format is asked for (default: made from its schema)
    @think Let me see.             thoughts, in a field of their own
    @status 429                    the request fails with that status
    @cut                           the connection breaks off behind the third chunk of the answer
    @hold                          the answer stops behind its third chunk, a plain one at once, until its client leaves

Without such code it calls the function that it must, or those whose names the request speaks of, once, with values
from the request; it repeats results in words, makes JSON where a format is asked for, and else greets.  Like other
model servers it heeds ``stop`` and ``max_tokens`` (a token is four characters here), and refuses, with 400, whatever is
of tool calling.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.clients.prompts import Prompt, read_prompt
from tests.clients.samples import Filler, Words, json_of
from tests.live.upstream import MODEL, Asked, Hold, Json, Reply, ScriptedUpstream

GREETING = "Hello! How can I help you today?"
_DIRECTIVE = re.compile(r"^@(\w+)(?: (.*))?$", re.MULTILINE)
_NAME_WORD = re.compile(r"[a-z]{4,}")
_COMMON_WORDS = frozenset(
    ["function", "tool", "with", "from", "make", "args", "list", "find", "call", "final", "result"]
)
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True)
class Script:
    """What a request says to answer; ``code`` by round."""

    code: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    said: dict[str, str] = field(default_factory=dict[str, str])

    def step(self, rounds: int) -> str:
        return "\n".join(self.code.get(str(rounds + 1), []))


class Model(ScriptedUpstream):
    """The model as a server; ``asked`` has what it was asked, for those who want to know."""

    def reset(self) -> None:
        super().reset()
        self.script = lambda asked: answer(asked, self.hold)


def answer(asked: Asked, hold: Callable[[], Hold] = Hold) -> Reply:
    """The reply to a request of chat completions; ``hold`` makes the place where it may be told to wait."""
    body = asked.body
    prompt = read_prompt(body["messages"])
    script = read_script(prompt)
    if status := script.said.get("status"):
        error = {"message": f"Scripted failure {status}", "type": "scripted_error", "param": None, "code": None}
        return Reply(status=int(status), raw=json.dumps({"error": error}).encode())
    text, reason = _cut(_text(prompt, script), body)
    held = hold() if "hold" in script.said else None
    return Reply(
        text=text,
        reasoning=script.said.get("think", "") if prompt.rounds == 0 else "",
        chunk=5,
        model=body.get("model") or MODEL,
        finish_reason=reason,
        cut=3 if "cut" in script.said else None,
        hold=held,
        hold_after=3 if held and body.get("stream") else 0,
    )


def read_script(prompt: Prompt) -> Script:
    """The script of the request, or of the system text if the request has none."""
    script = Script()
    lines = _DIRECTIVE.findall(prompt.request) or _DIRECTIVE.findall(prompt.system)
    for key, value in lines:
        if key[0].isdigit() or key == "repair":
            script.code.setdefault(key, []).append(value)
        else:
            script.said[key] = value
    return script


def _text(prompt: Prompt, script: Script) -> str:
    if prompt.whether:
        return "yes"
    if prompt.output is None and (code := _code(prompt, script)):
        words = script.said.get("words", "") if prompt.rounds == 0 and not prompt.repair else ""
        return f"{words}\n\n```python\n{code}\n```".lstrip()
    if prompt.format is not None:
        return script.said.get("json") or json.dumps(
            json_of(prompt.format, Words(_DIRECTIVE.sub("", prompt.request))), ensure_ascii=False
        )
    return script.said.get("say") or _words(prompt)


def _code(prompt: Prompt, script: Script) -> str:
    """The code to answer with, if any is called for."""
    if prompt.repair and (again := script.code.get("repair")):
        return "\n".join(again)
    if code := script.step(prompt.rounds):
        return code
    forced = prompt.named is not None or prompt.required
    if not forced and (script.code or prompt.rounds):
        return ""
    return "\n".join(_calls(prompt, forced))


def _calls(prompt: Prompt, forced: bool) -> list[str]:
    classes = {item.name: item for item in prompt.functions.body if isinstance(item, ast.ClassDef)}
    functions = [item for item in prompt.functions.body if isinstance(item, ast.FunctionDef)]
    meant = [function for function in functions if function.name == prompt.named]
    request = _DIRECTIVE.sub("", prompt.request)
    meant = meant or [function for function in functions if _is_meant(function.name, request)]
    if not meant and forced:
        meant = functions[:1]
    filler = Filler(classes, Words(request))
    return [filler.call(function) for function in (meant[:1] if prompt.single else meant)]


def _is_meant(name: str, request: str) -> bool:
    if re.search(rf"\b{re.escape(name)}\b", request):
        return True
    telling = [word for word in _NAME_WORD.findall(name.lower()) if word not in _COMMON_WORDS]
    return any(word in request.lower() for word in telling)


def _words(prompt: Prompt) -> str:
    if prompt.output is not None:
        return f"The code says: {prompt.output}"
    if prompt.results:
        told = [f"{'an error, ' if result.error else ''}{result.text}" for result in prompt.results]
        return f"The results are: {'; '.join(told)}"
    if prompt.pictures:
        return f"I see {prompt.pictures} picture{'s' if prompt.pictures > 1 else ''}."
    return GREETING


def _cut(text: str, body: Json) -> tuple[str, str]:
    """The text as far as the request's limits let it come, and why it ends."""
    stops: str | list[str] = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        text = text.partition(stop)[0]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit is not None and len(text) > limit * _CHARACTERS_A_TOKEN:
        return text[: limit * _CHARACTERS_A_TOKEN], "length"
    return text, "stop"


def main() -> None:
    """Serve the model until it is stopped."""
    parser = argparse.ArgumentParser(description="A scripted model without tool calling.")
    parser.add_argument("--port", type=int, default=0)
    model = Model(parser.parse_args().port)
    print(f"Serving {model.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
