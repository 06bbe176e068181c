"""A tool's name that is nearly right must reach that tool, and a name of something else must not."""

from __future__ import annotations

import pytest

from emulator.code.unknown import meant

NAMES = ["get_weather", "send", "now", "getStock", "weather_get", "a_b", "aB", "find_user_2"]


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("get_weather", "get_weather"),
        ("getWeather", "get_weather"),
        ("GetWeather", "get_weather"),
        ("GET-WEATHER", "get_weather"),
        ("get_stock", "getStock"),
        ("functions.get_weather", "get_weather"),
        ("functions.tools.now", "now"),
        ("default_api.send", "send"),
        ("mcp__mail__send", "send"),
        ("functions::send", "send"),
        ("f.get_weather", "get_weather"),
        ("mail::send", None),
        ("undo__send", None),
        ("do_not.get_weather", None),
        ("functions.undo__send", None),
        ("mcp__mail__undo__send", None),
        ("server/send", "send"),
        ("forecast.get_weather", None),
        ("weather.get", "weather_get"),
        ("find_user2", "find_user_2"),
        ("a_b", "a_b"),
        ("A_B", None),
        ("requests.send", None),
        ("sending", None),
        ("weather", None),
        ("", None),
        ("_", None),
        ("." * 10_000 + "send", None),
    ],
)
def test_which_tool_is_meant(name: str, tool: str | None) -> None:
    assert meant(name, NAMES) == tool


def test_a_clients_own_namespace_is_a_prefix() -> None:
    names = ["mail__send", "delete_file"]
    assert meant("mail__delete_file", names) == "delete_file"
    assert meant("mail.delete_file", names) == "delete_file"
    assert meant("undo__delete_file", names) is None
