"""An incremental reader of server-sent events: bytes in, the data of whole events out; no I/O.

The rules are WHATWG's (html.spec.whatwg.org, "Interpreting an event stream").  It works on bytes: every
delimiter is ASCII, so a cut inside a UTF-8 character can't hurt.
"""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"
_LF = b"\n"
_LINE_ENDS = b"\r\n"


class EventReader:
    """``feed`` pieces of a stream as they come; only ``data`` fields are kept, all others are ignored."""

    __slots__ = ("_after_cr", "_begun", "_data", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._data: list[bytes] = []
        self._after_cr = False
        self._begun = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of every event that ``piece`` completes, in order, without the final line end."""
        if self._after_cr and piece:
            self._after_cr = False
            if piece.startswith(_LF):
                piece = piece[1:]
        if not piece:
            return []
        ends_line = piece[-1] in _LINE_ENDS
        if not ends_line and _LF not in piece and b"\r" not in piece:
            # Kept apart until its line ends: joining at every piece would be quadratic in a long line.
            self._pieces.append(piece)
            return []
        self._after_cr = piece[-1] == _LINE_ENDS[0]
        if self._pieces:
            piece = b"".join((*self._pieces, piece))
            self._pieces.clear()
        lines = piece.splitlines()
        if not ends_line:
            self._pieces.append(lines.pop())
        return self._take(lines)

    def flush(self) -> list[bytes]:
        """The event that the end of the stream left open.

        The standard drops it; model servers that forget the last blank line are common enough to keep it.
        """
        rest = b"".join(self._pieces)
        self._pieces.clear()
        return self._take([rest, b""] if rest else [b""])

    def _take(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if not self._begun:
                self._begun = True
                line = line.removeprefix(_BOM)  # noqa: PLW2901 - the mark is no part of the first line
            if not line:
                if data:
                    events.append(data[0] if len(data) == 1 else _LF.join(data))
                    data.clear()
            elif line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                data.append(b"")
        return events
