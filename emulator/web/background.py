"""Responses that are made while nobody waits for them.

Rule: whoever works on a response asks the store whether it was cancelled or deleted, so that any process can do that.
Its client may listen to it coming about, but is no part of it: who leaves finds it in the store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from emulator.errors import EmulatorError, ResponseCancelled
from emulator.logs import log_event
from emulator.protocols.fields import Json
from emulator.protocols.responses_answer import ResponsesAnswer
from emulator.stored_responses import StoredResponse, StoredResponses
from emulator.web.respond import Watched

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the store is asked whether a response is still wanted, or over."""

Hear = Callable[[bytes | None], object]


def _nobody(frame: bytes | None) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Background:
    """One response; ``record`` is what is kept of it."""

    watched: Watched
    responses: StoredResponses
    owner: str
    record: StoredResponse
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self, frames: Iterator[bytes], form: ResponsesAnswer, hear: Hear = _nobody) -> list[threading.Thread]:
        """The threads that are at it.  ``frames`` are those of ``form``, which keeps what comes of it by ``keep``;
        ``hear`` is told each of them, and None at the end.

        Raises StoreUnavailable, since nobody could ask for it then.
        """
        self.responses.keep(self.owner, self.record)
        self.watched.lifetime.client = None  # Whoever asked for it may leave.
        works = (lambda: self._run(frames, form, hear), self._look)
        threads = [threading.Thread(target=work, name="background-response", daemon=True) for work in works]
        for thread in threads:
            thread.start()
        return threads

    def keep(self, response: Json) -> None:
        """File the response as it is now, unless that is wanted no more."""
        self.responses.keep_wanted(self.owner, self.record, response)

    def _run(self, frames: Iterator[bytes], form: ResponsesAnswer, hear: Hear) -> None:
        try:
            self.keep(form.response("in_progress"))
            hear(next(frames, b""))
            self.keep(form.response("in_progress", output=[]))  # Now it is known who answers.
            for frame in frames:
                hear(frame)
        except EmulatorError as error:
            hear(form.failure(error))
            self.watched.end(error)
        except Exception as error:  # noqa: BLE001 - a thread has no error handler behind it
            log_event(logger, "background response failed", level=logging.ERROR, kind=type(error).__name__)
            hear(form.failure(EmulatorError("The server failed on this request; its log says why.")))
            self.watched.end(error)
        finally:
            self._over.set()
            try:
                self.watched.end()
            finally:
                hear(None)

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if self.responses.is_ended(self.owner, self.record.response["id"]):
                self.watched.lifetime.end(ResponseCancelled())
                return
