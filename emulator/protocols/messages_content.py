"""Content blocks of Anthropic's Messages API → Chat Completions' content parts.

Which blocks may stand where differs; each place has a table of its readers.
Source: Anthropic's API reference, content blocks of POST /v1/messages, and its errors' words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.fields import Json, object_at, required, typed, wrong_type
from emulator.protocols.messages_changes import CHANGES
from emulator.protocols.messages_errors import wrong_tag

Reader = Callable[[Json, str], list[Json]]
"""A block and its path → its parts.  Raises InvalidRequest."""


def blocks_of(content: object, path: str) -> list[tuple[Json, str]]:
    """Content as blocks with their paths; each is an object with a type."""
    if isinstance(content, str):
        return [({"type": "text", "text": content}, path)]
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of objects", content)
    found: list[tuple[Json, str]] = []
    for number, item in enumerate(cast(list[Any], content)):
        at = f"{path}.{number}"
        block = object_at(at, item)
        required(block, "type", str, "a string", f"{at}.")
        found.append((block, at))
    return found


def content_of(parts: list[Json]) -> str | list[Json]:
    """Parts as a content: text alone as a string, which every model server takes."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def parts_of(block: Json, path: str, readers: Mapping[str, Reader]) -> list[Json]:
    """A block as Chat Completions' content parts."""
    read = readers.get(block["type"])
    if read is None:
        raise wrong_tag(block["type"], path, readers)
    return read(block, path)


def text_parts(text: str) -> list[Json]:
    """Nothing for a text that is empty: chat templates make a turn of its own of it."""
    return [{"type": "text", "text": text}] if text.strip() else []


def _text_block(block: Json, path: str) -> list[Json]:
    return text_parts(required(block, "text", str, "a string", f"{path}."))


def _image(block: Json, path: str) -> list[Json]:
    source, at = _source(block, path)
    if source["type"] == "url":
        url = required(source, "url", str, "a string", at)
    elif source["type"] == "base64":
        kind = required(source, "media_type", str, "a string", at)
        url = f"data:{kind};base64,{required(source, 'data', str, 'a string', at)}"
    else:
        raise _no_source(source, path)
    return [{"type": "image_url", "image_url": {"url": url}}]


def _document(block: Json, path: str) -> list[Json]:
    source, at = _source(block, path)
    title: str = typed(block, "title", str, "a string", "", f"{path}.")
    context: str = typed(block, "context", str, "a string", "", f"{path}.")
    if source["type"] == "base64":
        kind = required(source, "media_type", str, "a string", at)
        data = f"data:{kind};base64,{required(source, 'data', str, 'a string', at)}"
        shown = [{"type": "file", "file": {"filename": title or "document.pdf", "file_data": data}}]
        return [*text_parts(context), *shown]
    if source["type"] == "text":
        shown = text_parts(required(source, "data", str, "a string", at))
    elif source["type"] == "content":
        blocks = blocks_of(source.get("content") or "", f"{at}content")
        shown = [part for inner, inner_at in blocks for part in parts_of(inner, inner_at, SAID)]
    else:
        raise _no_source(source, path)
    return _under((title, context), shown)


def _search_result(block: Json, path: str) -> list[Json]:
    heading = [required(block, name, str, "a string", f"{path}.") for name in ("title", "source")]
    blocks = blocks_of(required(block, "content", list, "an array of objects", f"{path}."), f"{path}.content")
    return _under(heading, [part for inner, at in blocks for part in parts_of(inner, at, TEXT)])


def _under(heading: Iterable[str], parts: list[Json]) -> list[Json]:
    """Parts with a heading, in the same text as the first of them where that is one."""
    lines = "\n".join(line for line in heading if line.strip())
    if not lines:
        return parts
    if parts and parts[0]["type"] == "text":
        return [{"type": "text", "text": f"{lines}\n\n{parts[0]['text']}"}, *parts[1:]]
    return [*text_parts(lines), *parts]


def _tool_reference(block: Json, path: str) -> list[Json]:
    """All tools are shown from the start, so that one found by a search only has to be named."""
    return text_parts(f"Tool found: {required(block, 'tool_name', str, 'a string', f'{path}.')}")


def _source(block: Json, path: str) -> tuple[Json, str]:
    """A block's source, which has a type, and the path that its fields stand under."""
    source: Json = required(block, "source", dict, "an object", f"{path}.")
    required(source, "type", str, "a string", f"{path}.source.")
    return source, f"{path}.source."


def _no_source(source: Json, path: str) -> InvalidRequest:
    kind = source["type"][:80]
    return InvalidRequest(
        f"{path}.source: a source of type '{kind}' can't be used here, since files are neither fetched nor kept by "
        "this server. Send the content itself.",
        param=f"{path}.source",
    )


def _nothing(block: Json, path: str) -> list[Json]:  # noqa: ARG001 - a reader like the others
    return []


TEXT: dict[str, Reader] = {"text": _text_block}
"""The system text."""
SYSTEM: dict[str, Reader] = TEXT | dict.fromkeys(CHANGES, _nothing)
"""System messages; what changes the tools says nothing (see ``messages_changes``)."""
SAID: dict[str, Reader] = TEXT | {"image": _image}
"""An assistant's turn, beside thoughts and calls."""
CONTENT: dict[str, Reader] = SAID | {"document": _document, "search_result": _search_result}
"""A user's turn, beside results."""
RESULT: dict[str, Reader] = CONTENT | {"tool_reference": _tool_reference}
"""A tool's result."""
