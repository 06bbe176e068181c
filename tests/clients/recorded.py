"""How clients that can't run in tests ask, read answers and go on: Open WebUI, LibreChat, Codex and Claude Code.

Rule: ``tests/data/clients/*.json`` has their requests, and says what these were recorded from or written after; what
stands here reads an answer as those clients do, and no better, and builds the request that follows from what was read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live.server import Answer

Json = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[1] / "data" / "clients"


@dataclass
class Read:
    """What a client got out of an answer; ``items`` are what it keeps to send again, in its own form."""

    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    ended: str | None = None
    usage: Json = field(default_factory=dict[str, Any])
    items: list[Json] = field(default_factory=list[Json])


@dataclass(frozen=True)
class Client:
    """``follow``: the next request, from the last one, what was read, and the results of its calls."""

    recorded: Json
    read: Callable[[Answer, bool], Read]
    follow: Callable[[Json, Read, list[str]], Json]

    def body(self, name: str, **changed: Any) -> Json:
        return copy.deepcopy(self.recorded["requests"][name]) | changed


def of(file: str) -> Json:
    return json.loads((FOLDER / f"{file}.json").read_text("utf-8"))


def sse(answer: Answer) -> Iterator[Json]:
    """The data of named events, as clients read it that look at ``event`` too: one without a name is lost on them."""
    for frame in answer.raw.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
        if "event" in lines:
            data = json.loads(lines["data"])
            assert data["type"] == lines["event"]
            yield data


def _chat_usage(answer: Answer) -> Json:
    """From the last chunk that has one; a chunk without choices has nothing else."""
    found: Json = {}
    for event in answer.events[:-1]:
        found = event.get("usage") or found
        assert event["choices"] or event.get("usage")
    return found


def _chat_deltas(answer: Answer) -> Iterator[tuple[Json, str | None]]:
    assert answer.events[-1] == "[DONE]"
    for event in answer.events[:-1]:
        for choice in event["choices"]:
            yield choice["delta"], choice["finish_reason"]


def _pieces(delta: Json) -> list[Json]:
    return delta.get("tool_calls") or []


# --- Open WebUI: pieces of calls go together by their index, and one without is dropped; names are put together, too.


def _read_open_webui(answer: Answer, stream: bool) -> Read:
    if not stream:
        return _read_message(answer)
    read = Read(usage=_chat_usage(answer))
    for delta, ended in _chat_deltas(answer):
        for piece in _pieces(delta):
            _merge(read.items, piece)
        read.text += delta.get("content") or ""
        read.thoughts += delta.get("reasoning_content") or ""
        read.ended = ended or read.ended
    read.calls = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in read.items]
    return read


def _merge(calls: list[Json], piece: Json) -> None:
    if (index := piece.get("index")) is None:
        return
    for call in calls:
        if call["index"] == index:
            call["function"]["name"] += piece.get("function", {}).get("name") or ""
            call["function"]["arguments"] += piece.get("function", {}).get("arguments") or ""
            return
    piece.setdefault("function", {}).setdefault("name", "")
    piece["function"].setdefault("arguments", "")
    calls.append(piece)


def _read_message(answer: Answer) -> Read:
    (choice,) = answer.json["choices"]
    message = choice["message"]
    calls: list[Json] = message.get("tool_calls") or []
    return Read(
        text=message["content"] or "",
        thoughts=message.get("reasoning_content") or "",
        calls=[(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls],
        ended=choice["finish_reason"],
        usage=answer.json["usage"],
        items=calls,
    )


def _follow_open_webui(body: Json, read: Read, results: list[str]) -> Json:
    """Calls go back with their index and with arguments of its own spelling, thoughts as words in front."""
    for call, (_, arguments) in zip(read.items, read.calls, strict=True):
        call["function"]["arguments"] = json.dumps(arguments)
    thoughts = f"<think>{read.thoughts}</think>\n" if read.thoughts else ""
    said = {"role": "assistant", "content": f"{thoughts}{read.text}", "tool_calls": read.items}
    return body | {"messages": [*body["messages"], said, *_tool_messages(read.items, results)]}


def _tool_messages(calls: Iterable[Json], results: Iterable[str], **more: str) -> list[Json]:
    pairs = zip(calls, results, strict=True)
    return [{"role": "tool", "tool_call_id": call["id"], "content": result, **more} for call, result in pairs]


# --- LibreChat: LangChain's chunks for JavaScript; the first piece of a call has the id and the name.


def _read_librechat(answer: Answer, stream: bool) -> Read:
    if not stream:
        return _read_message(answer)
    read = Read(usage=_chat_usage(answer))
    found: dict[int, Json] = {}
    role: str | None = None
    for delta, ended in _chat_deltas(answer):
        role = role or delta["role"]
        read.text += delta.get("content") or ""
        for piece in _pieces(delta):
            call = found.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
            call["id"] += piece.get("id") or ""
            call["name"] += piece["function"].get("name") or ""
            call["arguments"] += piece["function"].get("arguments") or ""
        read.ended = ended or read.ended
    assert role == "assistant"
    for call in found.values():
        function = {"name": call["name"], "arguments": call["arguments"]}
        read.items.append({"id": call["id"], "type": "function", "function": function})
        read.calls.append((call["name"], json.loads(call["arguments"])))
    return read


def _follow_librechat(body: Json, read: Read, results: list[str]) -> Json:
    """The words in front of calls are left out, and the messages of results have the tool's name."""
    calls = [
        call | {"function": {"name": name, "arguments": json.dumps(arguments, separators=(",", ":"))}}
        for call, (name, arguments) in zip(read.items, read.calls, strict=True)
    ]
    said = {"role": "assistant", "content": "", "tool_calls": calls}
    told = [
        message | {"name": name} for message, (name, _) in zip(_tool_messages(calls, results), read.calls, strict=True)
    ]
    return body | {"messages": [*body["messages"], said, *told]}


# --- Codex: whole items when they are done, and the end; the deltas are only for show.


def _read_codex(answer: Answer, stream: bool) -> Read:
    read = Read()
    shown = ""
    if stream:
        items: list[Json] = []
        for event in sse(answer):
            match event["type"]:
                case "response.output_item.done":
                    items.append(event["item"])
                case "response.output_text.delta":
                    shown += event["delta"]
                case "response.completed":
                    read.ended, read.usage = "completed", event["response"]["usage"]
                case _:
                    pass
    else:
        items, read.ended, read.usage = answer.json["output"], answer.json["status"], answer.json["usage"]
    for item in items:
        _see_item(read, item)
    assert not stream or shown == read.text
    return read


def _see_item(read: Read, item: Json) -> None:
    match item["type"]:
        case "message":
            read.text += "".join(part["text"] for part in item["content"])
        case "reasoning":
            read.thoughts += "".join(part["text"] for part in item["summary"])
            item = {"content": None} | {key: value for key, value in item.items() if key != "status"}
        case "function_call":
            read.calls.append((item.get("namespace", "") + item["name"], json.loads(item["arguments"])))
        case "tool_search_call":
            assert item["execution"] == "client"
            read.calls.append(("tool_search", item["arguments"]))
        case _:
            read.calls.append((item["name"], item["input"]))
    read.items.append(item)


def _follow_codex(body: Json, read: Read, results: list[str]) -> Json:
    """Everything is sent again; results have ids of their own, and say how the command went."""
    calls = [item for item in read.items if item["type"].endswith("_call")]
    outputs = [
        {"type": f"{call['type']}_output", "id": f"fco_{index}", "call_id": call["call_id"], "output": result}
        for index, (call, result) in enumerate(zip(calls, results, strict=True))
    ]
    return body | {"input": [*body["input"], *read.items, *outputs]}


# --- Claude Code: blocks by their index; the input of a call is JSON put together of pieces.


def _read_claude_code(answer: Answer, stream: bool) -> Read:
    message = _folded(sse(answer)) if stream else answer.json
    read = Read(ended=message["stop_reason"], usage=message["usage"], items=message["content"])
    for block in read.items:
        match block["type"]:
            case "text":
                read.text += block["text"]
            case "thinking":
                assert block["signature"]
                read.thoughts += block["thinking"]
            case _:
                read.calls.append((block["name"], block["input"]))
    return read


def _folded(events: Iterable[Json]) -> Json:
    message: Json = {}
    pieces: dict[int, str] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
            case "content_block_delta":
                _see_delta(message["content"][event["index"]], event["delta"], pieces, event["index"])
            case "content_block_stop" if event["index"] in pieces:
                message["content"][event["index"]]["input"] = json.loads(pieces[event["index"]] or "{}")
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
            case _:
                pass
    return message


def _see_delta(block: Json, delta: Json, pieces: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case _:
            pieces[index] = pieces.get(index, "") + delta["partial_json"]


def _follow_claude_code(body: Json, read: Read, results: list[str]) -> Json:
    """Calls go back with the defaults of their schemas filled in, results in the order in which they came."""
    schemas = {tool["name"]: tool["input_schema"]["properties"] for tool in body["tools"]}
    said = [_filled(block, schemas) if block["type"] == "tool_use" else block for block in read.items]
    uses = [block["id"] for block in said if block["type"] == "tool_use"]
    content: list[Json] = [
        {"tool_use_id": use, "type": "tool_result", "content": result, "is_error": False}
        for use, result in zip(uses, results, strict=True)
    ]
    content.reverse()
    content[-1]["cache_control"] = {"type": "ephemeral"}
    return body | {
        "messages": [
            *body["messages"],
            {"role": "assistant", "content": said},
            {"role": "user", "content": content},
        ]
    }


def _filled(use: Json, schemas: Mapping[str, Json]) -> Json:
    defaults = {name: schema["default"] for name, schema in schemas[use["name"]].items() if "default" in schema}
    return use | {"input": defaults | use["input"]}


CLIENTS: Mapping[str, Client] = {
    "open_webui": Client(of("open_webui"), _read_open_webui, _follow_open_webui),
    "librechat": Client(of("librechat"), _read_librechat, _follow_librechat),
    "codex": Client(of("codex"), _read_codex, _follow_codex),
    "claude_code": Client(of("claude_code"), _read_claude_code, _follow_claude_code),
}
