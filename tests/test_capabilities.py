"""What a model server can do is found out once, kept only if it was found out whole, and never asked for unasked."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from emulator.capabilities import KnownCapabilities
from emulator.errors import UpstreamRefused
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, Capabilities
from emulator.records.opening import open_records

LLAMA_CPP = Capabilities("llama.cpp", json_schema=True)


class Upstream:
    """Honours a grammar as llama.cpp takes it, and JSON Schemas, for whoever has the ``key``."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key
        self.asked = 0
        self.gate: threading.Event | None = None
        self.reached = threading.Event()

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        self.asked += 1
        self.reached.set()
        if self.gate is not None:
            assert self.gate.wait(30)
        if self.key is not None and authorization != self.key:
            raise UpstreamRefused("Wrong key.", status=401, type="invalid_request_error")
        yield AnswerHead({})
        text = body["grammar"].split('"')[1] if "grammar" in body else '{"zqxv": true}'
        yield AnswerDelta(0, text, finish_reason="stop")


def known(upstream: Upstream, tmp_path: Path, allowed: str = "on") -> KnownCapabilities:
    return KnownCapabilities(upstream, lambda: open_records("sqlite:", tmp_path / "store.db"), "here", allowed)


def of(capabilities: KnownCapabilities, model: str = "m", key: str | None = None) -> Capabilities:
    return capabilities.of(model, key, Lifetime(60))


def test_a_model_is_probed_once_by_all_who_share_the_store(tmp_path: Path) -> None:
    upstream = Upstream()
    first = known(upstream, tmp_path)
    assert of(first) == LLAMA_CPP
    asked = upstream.asked
    assert of(first) == of(known(upstream, tmp_path)) == LLAMA_CPP
    assert upstream.asked == asked
    assert of(first, "another") == LLAMA_CPP
    assert upstream.asked > asked


def test_a_clients_wrong_key_is_no_finding_for_others(tmp_path: Path) -> None:
    upstream = Upstream(key="right")
    capabilities = known(upstream, tmp_path)
    assert of(capabilities, key="wrong") == Capabilities()
    asked = upstream.asked
    assert of(capabilities, key="wrong") == Capabilities()
    assert upstream.asked == asked, "nor is it asked with each of that client's requests"
    assert of(capabilities, key="right") == LLAMA_CPP


def test_probes_can_be_turned_off(tmp_path: Path) -> None:
    upstream = Upstream()
    assert of(known(upstream, tmp_path, "off")) == Capabilities()
    assert upstream.asked == 0


def test_requests_that_come_meanwhile_wait_for_the_one_probe(tmp_path: Path) -> None:
    upstream = Upstream()
    capabilities = known(upstream, tmp_path)
    alone = Upstream()
    of(known(alone, tmp_path / "alone"))
    upstream.gate = threading.Event()
    found: list[Capabilities] = []
    threads = [threading.Thread(target=lambda: found.append(of(capabilities))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert upstream.reached.wait(30)
    upstream.gate.set()
    for thread in threads:
        thread.join(30)
    assert found == [LLAMA_CPP] * 4
    assert upstream.asked == alone.asked


def test_what_another_version_stored_is_found_out_anew(tmp_path: Path) -> None:
    upstream = Upstream()
    open_records("sqlite:", tmp_path / "store.db").put("capabilities:here on m", b'{"wings": true}', 60)
    assert of(known(upstream, tmp_path)) == LLAMA_CPP
