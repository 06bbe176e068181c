"""A response in the background has nobody to hear of an error: whatever happens, the store must say how it ended."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from emulator.errors import UpstreamBroken
from emulator.events import Event, Finished, Head, TextDelta
from emulator.lifetime import Lifetime
from emulator.protocols.declared import ToolRules
from emulator.protocols.responses import parse_responses, read_responses
from emulator.protocols.responses_answer import ResponsesAnswer
from emulator.protocols.responses_items import Past
from emulator.records.sqlite import SqliteRecords
from emulator.stored_responses import StoredResponse, StoredResponses
from emulator.web.background import Background
from tests.protocols.openai_events import events_of

KEY = "0" * 24


class Watched:
    """As much of a request under way as is asked for."""

    def __init__(self) -> None:
        self.lifetime = Lifetime(600)
        self.ends: list[BaseException | None] = []

    def end(self, error: BaseException | None = None) -> None:
        self.ends.append(error)


def events(error: Exception | None) -> Generator[Event, None, None]:
    yield Head({})
    yield TextDelta(0, "Hello.")
    if error is not None:
        raise error
    yield Finished(0, "stop")


def ran(folder: Path, error: Exception | None) -> tuple[dict[str, Any], list[BaseException | None]]:
    """What is kept of a response at its end, and how its request ended."""
    records = SqliteRecords(folder / "records.sqlite3")
    responses = StoredResponses(lambda: records, 600, 1 << 20)
    asked = parse_responses(read_responses(orjson.dumps({"input": "hi", "background": True})), Past(), ToolRules())
    watched = Watched()
    queued = ResponsesAnswer(asked, KEY, 0).response("queued")
    work = Background(cast(Any, watched), responses, "me", StoredResponse(queued, [], 1e12))
    form = ResponsesAnswer(asked, KEY, 0, work.keep)
    heard: list[bytes | None] = []
    for thread in work.start(form.frames(events(error), lambda: "told"), form, heard.append):
        thread.join()
    assert heard.pop() is None
    said = events_of(b"".join(filter(None, heard)))[-1]["response"]
    assert said == responses.get("me", f"resp_{KEY}").response, "who listens hears what is kept"
    return responses.get("me", f"resp_{KEY}").response, watched.ends


def test_it_ends(tmp_path: Path) -> None:
    response, ends = ran(tmp_path, None)
    assert (response["status"], response["output"][0]["status"], ends) == ("completed", "completed", [None])


@pytest.mark.parametrize(
    ("error", "said"),
    [(UpstreamBroken("cut in the middle"), "cut in the middle"), (ValueError("secret"), "its log says why")],
)
def test_it_fails(tmp_path: Path, error: Exception, said: str) -> None:
    response, ends = ran(tmp_path, error)
    assert (response["status"], response["error"]["code"]) == ("failed", "server_error")
    assert said in response["error"]["message"] and "secret" not in response["error"]["message"]
    assert ends[0] is error
