"""The contents of Responses items ↔ contents of Chat Completions messages.

Source: OpenAI's API reference, the parts ``input_text``, ``input_image``, ``input_file``, ``input_audio``,
``output_text`` and ``refusal`` of POST /v1/responses.
"""

from __future__ import annotations

from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.fields import Json, missing, object_at, required, typed, unsupported, wrong_type

_TEXTS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
"""Where a part has its text; ``text`` is what Chat Completions calls it, and some clients send here too."""
_KINDS = ("input_text", "input_image", "input_file", "input_audio", "output_text", "refusal")

Content = str | list[Json]


def with_parts(item: Json) -> Json:
    """A message item with its content as parts, as OpenAI gives it back."""
    content = item.get("content")
    if not isinstance(content, str):
        return item
    if item["role"] == "assistant":
        return item | {"content": [{"type": "output_text", "text": content, "annotations": [], "logprobs": []}]}
    return item | {"content": [{"type": "input_text", "text": content}]}


def content_of(item: Json, key: str, path: str, *, apart: bool = False) -> Content:
    """``item[key]``, a string or parts, for a message of Chat Completions: text alone becomes a string.

    Many chat templates know nothing else.  ``apart``: of several texts each stays a part.  Raises InvalidRequest.
    """
    path = f"{path}.{key}"
    content = item.get(key)
    if content is None:
        raise missing(path)
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of objects", content)
    parts = [_part(part, f"{path}[{index}]") for index, part in enumerate(cast(list[object], content))]
    if all(part["type"] == "text" for part in parts) and (len(parts) < 2 or not apart):
        return "\n".join(part["text"] for part in parts)
    return parts


def spoken(item: Json, path: str) -> str:
    """The words of an assistant's message.  Raises InvalidRequest where there is something else in it."""
    content = content_of(item, "content", path, apart=True)
    if isinstance(content, str):
        return content
    for index, part in enumerate(content):
        if part["type"] != "text":
            raise InvalidRequest(
                f"Invalid value: messages with role 'assistant' hold text only ({path}.content[{index}]).",
                param=f"{path}.content[{index}].type",
                code="invalid_value",
            )
    return "".join(part["text"] for part in content)


def _part(part: object, path: str) -> Json:
    fields = object_at(path, part)
    path = f"{path}."
    kind = required(fields, "type", str, "a string", path)
    if (key := _TEXTS.get(kind)) is not None:
        return {"type": "text", "text": required(fields, key, str, "a string", path)}
    if kind == "input_image":
        return _image(fields, path)
    if kind == "input_file":
        return _file(fields, path)
    if kind == "input_audio":
        return {"type": kind, kind: required(fields, kind, dict, "an object", path)}
    raise unsupported(kind, f"{path}type", _KINDS)


def _image(fields: Json, path: str) -> Json:
    _no_upload(fields, path, "'image_url', which may be a data URL")
    image: Json = {"url": required(fields, "image_url", str, "a string", path)}
    detail: Any = typed(fields, "detail", str, "a string", None, path)
    return {"type": "image_url", "image_url": image | ({"detail": detail} if detail else {})}


def _file(fields: Json, path: str) -> Json:
    _no_upload(fields, path, "'file_data'")
    if fields.get("file_url") is not None:
        raise InvalidRequest(
            "Files are not fetched here.", param=f"{path}file_url", code="invalid_value", hint="Send 'file_data'."
        )
    file: Json = {"file_data": required(fields, "file_data", str, "a string", path)}
    name: Any = typed(fields, "filename", str, "a string", None, path)
    return {"type": "file", "file": file | ({"filename": name} if name else {})}


def _no_upload(fields: Json, path: str, instead: str) -> None:
    if fields.get("file_id") is not None:
        raise InvalidRequest(
            "No uploaded files are kept here.", param=f"{path}file_id", code="invalid_value", hint=f"Send {instead}."
        )
