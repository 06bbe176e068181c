"""White space between prose and code, which is nobody's."""

from __future__ import annotations


def words_of(space: list[str], text: str, *, begun: bool) -> str:
    """``text`` with the space that waited before it, up to its last word; what is behind that waits in ``space``.

    Space before the first word is dropped unless ``begun``.
    """
    ended = text.rstrip()
    if not ended:
        if text:
            space.append(text)
        return ""
    words = "".join([*space, ended])
    space[:] = [text[len(ended) :]] if len(ended) < len(text) else []
    return words if begun else words.lstrip()
