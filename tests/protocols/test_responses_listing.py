"""Clients page through a response's input by ids: no item may be lost or come twice on the way."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseItemList

from emulator.errors import InvalidRequest
from emulator.protocols.responses_items import input_items
from emulator.protocols.responses_listing import item_list
from tests.specs import RESPONSE_ITEMS, openai_problems

Json = dict[str, Any]

CALL: Json = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "a", "output": "ok"}
GIVEN: list[Json] = [
    {"role": "user", "content": "hi"},
    {"type": "reasoning", "summary": []},
    CALL,
    OUTPUT,
    {"role": "user", "content": "x"},
]
ITEMS = [item | {"id": f"item_{n}"} for n, item in enumerate(input_items(GIVEN))]


def ids(page: Json) -> list[str]:
    return [item["id"] for item in page["data"]]


def test_a_page_is_as_openai_has_it() -> None:
    page = item_list(ITEMS, {})
    assert openai_problems(RESPONSE_ITEMS, page) == []
    ResponseItemList.model_validate(page)
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("item_4", "item_0", False)
    assert all(item["status"] == "completed" for item in page["data"])


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", ["1", "2", "5", "100"])
def test_pages_are_all_of_it(order: str, limit: str) -> None:
    found: list[str] = []
    query = {"order": order, "limit": limit}
    while True:
        page = item_list(ITEMS, query)
        found += ids(page)
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert found == [item["id"] for item in (ITEMS if order == "asc" else ITEMS[::-1])]


def test_nothing_is_a_page_too() -> None:
    page = item_list([], {})
    assert (page["data"], page["has_more"]) == ([], False)
    assert openai_problems(RESPONSE_ITEMS, page) == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"order": "up"}, "order"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "9999999999999"}, "limit"),
        ({"limit": "000000001999"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"after": "nobody"}, "after"),
    ],
)
def test_queries_that_are_wrong(query: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        item_list(ITEMS, query)
    assert raised.value.param == param


def test_images_have_the_detail_that_clients_want() -> None:
    image = {"type": "input_image", "image_url": "https://x/y.png"}
    given = [{"role": "user", "content": [image, image | {"detail": "high"}]}, CALL, OUTPUT | {"output": [image]}]
    items = [item | {"id": f"item_{n}"} for n, item in enumerate(input_items(given))]
    page = item_list(items, {"order": "asc"})
    assert openai_problems(RESPONSE_ITEMS, page) == []
    message, _, output = page["data"]
    assert [part["detail"] for part in (*message["content"], *output["output"])] == ["auto", "high", "auto"]
    assert "detail" not in image
