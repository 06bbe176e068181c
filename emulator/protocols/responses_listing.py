"""The input items of a response that is kept, page by page.

Source: OpenAI's API reference, GET /v1/responses/{id}/input_items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from emulator.errors import InvalidRequest
from emulator.protocols.fields import Json, unsupported

_MOST = 100
_USUAL = 20
_DIGITS = 9
_CONTENTS = ("content", "output")
_WITHOUT_STATUS = frozenset(["additional_tools", "compaction", "item_reference"])


def item_list(items: Sequence[Json], query: Mapping[str, str]) -> Json:
    """The page of ``items``, oldest first, that ``query`` asks for by ``order``, ``after`` and ``limit``.

    Raises InvalidRequest.
    """
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise unsupported(order, "order", ("asc", "desc"))
    shown = list(items) if order == "asc" else list(reversed(items))
    if after := query.get("after"):
        places = [place for place, item in enumerate(shown) if item["id"] == after]
        if not places:
            raise InvalidRequest(f"No item with id '{after[:80]}' found.", param="after", code="invalid_value")
        shown = shown[places[0] + 1 :]
    limit = _limit(query.get("limit"))
    page = [_whole(item) for item in shown[:limit]]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": len(shown) > limit,
    }


def _limit(given: str | None) -> int:
    if given is None:
        return _USUAL
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS or not 1 <= int(given) <= _MOST:
        raise InvalidRequest(
            f"Invalid value for 'limit': expected an integer between 1 and {_MOST}.",
            param="limit",
            code="invalid_value",
        )
    return int(given)


def _whole(item: Json) -> Json:
    """With what OpenAI's clients want to find in an item, and needn't send."""
    shown = item if item["type"] in _WITHOUT_STATUS else {"status": "completed"} | item
    return shown | {key: list(map(_part, item[key])) for key in _CONTENTS if isinstance(item.get(key), list)}


def _part(part: object) -> object:
    if not isinstance(part, dict):
        return part
    fields = cast(Json, part)
    lacks_detail = fields.get("type") == "input_image" and fields.get("detail") is None
    return fields | {"detail": "auto"} if lacks_detail else fields
