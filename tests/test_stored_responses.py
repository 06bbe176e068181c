"""A kept response must be found by whoever made it and by nobody else, and a conversation be whole again when it is gone
on with; what is lost must be said to be lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from emulator.errors import InvalidRequest, NotFound, RequestTooLarge
from emulator.protocols.declared import ToolRules
from emulator.protocols.responses import ResponsesRequest, parse_responses, read_responses
from emulator.protocols.responses_items import Past
from emulator.records.interface import StoreUnavailable
from emulator.records.sqlite import SqliteRecords
from emulator.stored_responses import StoredResponse, StoredResponses, kept_input

Json = dict[str, Any]
HOUR = 3600.0
KEYS = [f"{n:024x}" for n in range(5)]


@pytest.fixture
def records(tmp_path: Path) -> SqliteRecords:
    return SqliteRecords(tmp_path / "records.sqlite3")


@pytest.fixture
def responses(records: SqliteRecords) -> StoredResponses:
    return StoredResponses(lambda: records, HOUR, 10_000)


def asked(given: Any) -> ResponsesRequest:
    return parse_responses(read_responses(orjson.dumps({"model": "m", "input": given})), Past(), ToolRules())


def record(key: str, previous: str | None = None, status: str = "completed", until: float = 0) -> StoredResponse:
    words = {
        "id": f"msg_{key}0",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": key}],
    }
    response = {"id": f"resp_{key}", "status": status, "previous_response_id": previous, "output": [words]}
    return StoredResponse(response, kept_input(asked(f"to {key}"), key), until)


def texts(past: Past) -> list[str]:
    return [item["content"][0]["text"] for item in past.items]


def test_a_response_is_its_owners(responses: StoredResponses) -> None:
    kept = record(KEYS[0])
    responses.keep("me", kept)
    assert responses.get("me", f"resp_{KEYS[0]}") == kept
    for owner, identifier in [
        ("you", f"resp_{KEYS[0]}"),
        ("me", f"resp_{KEYS[1]}"),
        ("me", ""),
        ("", "me:resp_\ud800"),
    ]:
        with pytest.raises(NotFound):
            responses.get(owner, identifier)
        with pytest.raises(NotFound):
            responses.delete(owner, identifier)
    responses.delete("me", f"resp_{KEYS[0]}")
    assert responses.find("me", f"resp_{KEYS[0]}") is None


def test_a_conversation_is_put_together_from_all_its_responses(responses: StoredResponses) -> None:
    previous = None
    for key in KEYS[:3]:
        responses.keep("me", record(key, previous))
        previous = f"resp_{key}"
    assert texts(responses.past("me", previous, ())) == [word for key in KEYS[:3] for word in (f"to {key}", key)]
    assert responses.past("me", None, ()) == Past()


@pytest.mark.parametrize("owner", ["me", "you"])
def test_a_previous_response_that_is_not_there(responses: StoredResponses, owner: str) -> None:
    responses.keep("me", record(KEYS[1], f"resp_{KEYS[0]}"))
    with pytest.raises(InvalidRequest) as raised:
        responses.past(owner, f"resp_{KEYS[1]}", ())
    assert (raised.value.param, raised.value.code) == ("previous_response_id", "previous_response_not_found")
    builds_on = f"'resp_{KEYS[0]}', which 'resp_{KEYS[1]}' builds on, not found"
    assert (builds_on in raised.value.message) == (owner == "me")


def test_a_previous_response_that_is_under_way(responses: StoredResponses) -> None:
    responses.keep("me", record(KEYS[0], status="in_progress", until=time.time() + HOUR))
    with pytest.raises(InvalidRequest, match="still in_progress"):
        responses.past("me", f"resp_{KEYS[0]}", ())


def test_a_conversation_has_an_end(responses: StoredResponses) -> None:
    previous = None
    for n in range(60):
        key = f"{n:024x}"
        responses.keep("me", record(key, previous))
        previous = f"resp_{key}"
    with pytest.raises(RequestTooLarge) as raised:
        responses.past("me", previous, ())
    assert raised.value.status == 413


def test_items_are_found_by_their_ids(responses: StoredResponses) -> None:
    for key in KEYS[:2]:
        responses.keep("me", record(key))
    ids = [
        f"msg_{KEYS[0]}0",
        f"msg_{KEYS[1]}i0",
        f"msg_{KEYS[2]}0",
        f"msg_{KEYS[1]}7",
        "rs_of-somebody-else",
        "x" * 10_000,
    ]
    found = responses.past("me", None, ids).named
    assert {name: item["content"][0]["text"] for name, item in found.items()} == {
        ids[0]: KEYS[0],
        ids[1]: f"to {KEYS[1]}",
    }
    assert responses.past("you", None, ids).named == {}


def test_there_is_an_end_to_what_may_be_named(responses: StoredResponses) -> None:
    with pytest.raises(InvalidRequest) as raised:
        responses.past("me", None, [f"msg_{n:024x}0" for n in range(1025)])
    assert raised.value.param == "input"


def test_what_is_under_way_can_be_ended(responses: StoredResponses) -> None:
    for key, end in ((KEYS[0], responses.cancel), (KEYS[1], responses.delete)):
        under_way = record(key, status="in_progress", until=time.time() + HOUR)
        under_way.response["background"] = True
        responses.keep("me", under_way)
        assert not responses.is_ended("me", f"resp_{key}")
        end("me", f"resp_{key}")
        assert responses.is_ended("me", f"resp_{key}")
    assert responses.get("me", f"resp_{KEYS[0]}").response["status"] == "cancelled"


def background(key: str, status: str) -> StoredResponse:
    made = record(key, status=status, until=time.time() + HOUR)
    return StoredResponse(made.response | {"background": True}, made.input, made.until)


class Overtaken(SqliteRecords):
    """Somebody ends a response after it was asked whether anybody has, and before its end is filed."""

    def __init__(self, path: Path, end: Callable[[], None]) -> None:
        super().__init__(path)
        self._end = end

    def put(self, key: str, value: bytes, seconds: float) -> None:
        if b'"completed"' in value:
            self._end()
        super().put(key, value, seconds)


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("cancelled", [False, True])
def test_who_ends_a_response_in_its_last_moment_has_ended_it(tmp_path: Path, cancelled: bool, deleted: bool) -> None:
    identifier = f"resp_{KEYS[0]}"
    begun, done = background(KEYS[0], "in_progress"), background(KEYS[0], "completed").response

    def end() -> None:
        if cancelled:
            responses.cancel("me", identifier)
        if deleted:
            responses.delete("me", identifier)

    records = Overtaken(tmp_path / "records.sqlite3", end)
    responses = StoredResponses(lambda: records, HOUR, 10_000)
    responses.keep("me", begun)
    responses.keep_wanted("me", begun, done)
    found = responses.find("me", identifier)
    if deleted:
        assert found is None
    else:
        assert found is not None and found.response["status"] == ("cancelled" if cancelled else "completed")
    responses.keep_wanted("me", begun, done)
    assert responses.find("me", identifier) == found


def test_kept_items_have_ids_of_their_own_or_keep_theirs() -> None:
    items: list[Json] = [
        {"role": "user", "content": "a"},
        {"type": "reasoning", "id": "rs_mine", "summary": []},
        {"type": "compaction"},
        {"type": "reasoning", "id": "rs_mine", "summary": []},
        {"role": "user", "content": "b", "id": ""},
    ]
    assert [item["id"] for item in kept_input(asked(items), KEYS[1])] == [
        f"msg_{KEYS[1]}i0",
        "rs_mine",
        f"in_{KEYS[1]}i2",
        f"rs_{KEYS[1]}i3",
        f"msg_{KEYS[1]}i4",
    ]


@pytest.mark.parametrize(
    "arguments",
    ['{"k":1' + "0" * 400 + "}", '{"k":[123456789012345678901234567890,1.50,-0.0,1e400,1E5]}', '{"k":7,"x":0.5}', "{}"],
    ids=len,
)
def test_numbers_of_a_search_are_kept_as_they_were_written(responses: StoredResponses, arguments: str) -> None:
    """They are an object there, not a text, and the model wrote them."""
    kept = record(KEYS[0], until=12.5)
    search = {"type": "tool_search_call", "id": "tsc_1", "call_id": "c", "arguments": orjson.Fragment(arguments)}
    kept.response["output"].append(search)
    responses.keep("me", kept)
    found = responses.get("me", kept.response["id"])
    assert orjson.dumps(found.response["output"][1]["arguments"]).decode() == arguments
    assert found.until == 12.5
    assert responses.past("me", kept.response["id"], []).items[2]["call_id"] == "c"


def test_a_response_whose_worker_has_died_has_failed(responses: StoredResponses) -> None:
    responses.keep("me", record(KEYS[0], status="queued", until=time.time() - 1))
    lost = responses.get("me", f"resp_{KEYS[0]}")
    assert (lost.response["status"], lost.response["error"]["code"], lost.under_way) == (
        "failed",
        "server_error",
        False,
    )


class Broken(SqliteRecords):
    def put(self, key: str, value: bytes, seconds: float) -> None:
        raise StoreUnavailable("gone")


def test_a_store_that_fails_costs_the_keeping_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    responses = StoredResponses(lambda: Broken(tmp_path / "r.sqlite3"), HOUR, 10_000)
    with caplog.at_level(logging.WARNING):
        responses.try_keep("me", record(KEYS[0]))
        responses.keep_wanted("me", record(KEYS[1], status="queued"), record(KEYS[1]).response)
    assert "response not kept" in caplog.text
    with pytest.raises(StoreUnavailable):
        responses.keep("me", record(KEYS[0]))
