"""A gateway's WebSocket carries whole messages, and whatever else comes ends it before it costs memory."""

from __future__ import annotations

import pytest
from websocket import ABNF

from kernels import channels as connections
from kernels.channels import Channels, ChannelsClosed
from tests.kernels.hostile import frame, hostile
from tests.kernels.samples import PATIENCE

PART = frame(b"x" * 600, opcode=ABNF.OPCODE_CONT, final=False)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"\x81\x7f" + (1 << 62).to_bytes(8, "big"), id="a frame that is said to be huge"),
        pytest.param(frame(b"[", final=False) + PART * 2, id="a message of very many parts"),
        pytest.param(frame(b"no JSON"), id="no JSON"),
        pytest.param(frame(b"[" * 900), id="deep JSON"),
        pytest.param(frame(b"[1]"), id="no object"),
        pytest.param(frame(b"\xff\xfe\xff"), id="no UTF-8"),
        pytest.param(frame(b"", opcode=ABNF.OPCODE_CLOSE), id="a closing frame"),
        pytest.param(frame(b"{}", opcode=3), id="a frame of no known kind"),
    ],
)
def test_what_is_no_message_closes_the_connection(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_MESSAGE", 1000)
    with hostile(answer) as (url, _):
        channels = Channels(url, {}, None, connect_seconds=PATIENCE, seconds=PATIENCE)
        with pytest.raises(ChannelsClosed):
            channels.receive(PATIENCE)
        with pytest.raises(ChannelsClosed):
            channels.send("shell", "kernel_info_request", {})


def test_a_message_in_parts_between_pings_is_one() -> None:
    parts = frame(b'{"a":', final=False) + frame(b"?", opcode=ABNF.OPCODE_PING)
    parts += frame(b" 1", opcode=ABNF.OPCODE_CONT, final=False) + frame(b"}", opcode=ABNF.OPCODE_CONT)
    with hostile(parts + frame(b'{"b": 2}')) as (url, heard):
        channels = Channels(url, {"Authorization": "token t"}, None, connect_seconds=PATIENCE, seconds=PATIENCE)
        assert [channels.receive(PATIENCE), channels.receive(PATIENCE), channels.receive(0)] == [
            {"a": 1},
            {"b": 2},
            None,
        ]
        assert b"\r\nAuthorization: token t\r\n" in heard[0] and b"Origin" not in heard[0]
        channels.close()
