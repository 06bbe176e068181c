"""Custom tools: their input is a text, which may have to keep to a grammar, and not JSON.

To the core such a tool is a function with one string, ``input``; only the protocols' adapters tell it apart.
Source: OpenAI's API reference, tools of type ``custom``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from emulator.protocols.conversation import FunctionTool
from emulator.protocols.fields import Json, object_at, required, too_long, unsupported

_LONGEST = 64 * 1024
"""Bytes of a grammar's definition.  The model is shown all of it, and the time it takes to compile grows with it."""

_SYNTAXES = {"lark": "Lark grammar", "regex": "regular expression"}
_OPENING = '{"input":"'
_WHOLE = re.compile(r'(?:[^"\\]|\\(?:u[0-9a-f]{4}|[^u]))*+')
_SLASHES = re.compile(r"\\.|/", re.DOTALL)


def custom_tool(name: str, description: str | None, format: object, path: str) -> FunctionTool:
    """The function that stands for a custom tool.

    ``format`` is as the client has it, None where it says nothing; ``path`` is where it stands, for errors.  Chat
    Completions puts syntax and definition into an object ``grammar`` of it, Responses right into it.  What the model
    is to know of the grammar is added to the description.  Raises InvalidRequest; whether the grammar can be compiled
    is found out where the tool's stub is made.
    """
    syntax, definition, place = _format(format, path)
    told = [description] if description else []
    if syntax:
        told.append(f"input must match this {_SYNTAXES[syntax]} as a whole:\n{definition}")
    parameters: Json = {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
        "additionalProperties": False,
    }
    grammar = as_lark(definition) if syntax == "regex" else definition
    return FunctionTool(
        name,
        "\n\n".join(told) or None,
        parameters,
        custom=True,
        grammar=grammar if syntax else None,
        place=place,
    )


def as_lark(pattern: str) -> str:
    """A regular expression in Rust's syntax as a grammar in Lark, which quotes such by slashes."""
    return f"start: /{_SLASHES.sub(lambda found: chr(92) + '/' if found[0] == '/' else found[0], pattern)}/"


def custom_input(arguments: str) -> str:
    """The text in the proven arguments of a custom tool's call."""
    return json.loads(arguments)["input"]


def custom_arguments(text: str) -> str:
    """``text`` as the arguments of the function that stands for the tool, written as proven ones are."""
    return json.dumps({"input": text}, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class InputReader:
    """A custom tool's input from the fragments of its call's arguments, as these come.

    They are as ``tools.plain.arguments_json`` writes them: compact, with nothing escaped but quotes, backslashes and
    control characters.
    """

    _held: str = ""
    _begun: bool = False

    def feed(self, fragment: str) -> str:
        """What is known of the input by this fragment, and not by those before it."""
        held = self._held + fragment
        if not self._begun:
            if len(held) < len(_OPENING):
                self._held = held
                return ""
            self._begun, held = True, held[len(_OPENING) :]
        found = _WHOLE.match(held)
        assert found is not None, "nothing at all matches, too"
        self._held = held[found.end() :]
        return json.loads(f'"{found[0]}"')


def _format(format: object, path: str) -> tuple[str, str, str]:
    """Syntax and definition, both empty for any text, and the definition's place."""
    if format is None:
        return "", "", path
    given = object_at(path, format)
    kind = required(given, "type", str, "a string", f"{path}.")
    if kind == "text":
        return "", "", path
    if kind != "grammar":
        raise unsupported(kind, f"{path}.type", ("text", "grammar"))
    if "grammar" in given:
        given, path = required(given, "grammar", dict, "an object", f"{path}."), f"{path}.grammar"
    syntax: str = required(given, "syntax", str, "a string", f"{path}.")
    if syntax not in _SYNTAXES:
        raise unsupported(syntax, f"{path}.syntax", tuple(_SYNTAXES))
    place = f"{path}.definition"
    definition: str = required(given, "definition", str, "a string", f"{path}.")
    if len(definition.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise too_long(place, _LONGEST, "bytes")
    return syntax, definition, place
