"""What fails in a program is caught there, or corrected by the model: no call leaves twice, and not without end."""

from __future__ import annotations

from emulator.runs import RunLimits
from tests.strategies.playing import KEYS, Client, Failed, ended, fenced, whole

PARIS = ("get-weather", '{"city": "Paris"}')
ROME = ("get-weather", '{"city": "Rome"}')
NOW = ("now", "{}")
DRY, WET = {"rain": False, "text": "dry"}, {"rain": True, "text": "wet"}

BROKEN = "w = get_weather('Paris')\nt = now()\nsend(to='a', body=w['missing'])"
MENDED = "w = get_weather('Paris')\nt = now()\nsend(to='a', body=w['text'])\nprint('sent')"


def test_an_exception_is_corrected_and_what_was_called_is_not_called_again() -> None:
    client, first = ended(BROKEN, WET, "12:00")
    assert first.calls == [PARIS, NOW]
    second = client.ask(fenced(MENDED))
    assert "KeyError" in second.question
    assert "line 3: send(to='a', body=w['missing'])" in second.question
    assert BROKEN in second.question
    assert '"text": "wet"' in second.question, "results so far"
    assert second.calls == [("send", '{"to": "a", "body": "wet"}')]
    assert second.ids == [f"call_{KEYS[1]}0"], "an answer of its own"
    kept = client.kept[KEYS[1]]
    assert (kept.carries, kept.corrections, kept.attempted) == (True, 1, 0)
    client.give(second, "ok")
    last = client.ask(whole("Sent."))
    assert (last.text, last.calls) == ("Sent.", [])


def test_a_call_made_once_is_repeated_only_once() -> None:
    client, _ = ended("a = get_weather('Paris')\nx = a['zz']", WET)
    second = client.ask(fenced("for i in range(2):\n    a = get_weather('Paris')\n    print(a['text'])"))
    assert second.calls == [PARIS], "the second is a call of its own"
    client.give(second, DRY)
    last = client.ask(whole("Both."))
    assert "```result\nwet\ndry\n```" in last.question


def test_corrections_are_bounded() -> None:
    client, first = ended("a = get_weather('Paris')\nx = a['zz']", WET, repairs=2)
    for city in ("Rome", "Oslo"):
        second = client.ask(fenced(f"b = get_weather('{city}')\nx = b['zz']"))
        assert "Write the whole code again" in second.question
        client.give(second, WET)
    last = client.ask(whole("I can't."))
    assert (last.text, len(last.asked)) == ("I can't.", 1)
    assert "Write the whole code again" not in last.question
    assert "KeyError" in last.question
    assert first.calls == [PARIS]


def test_a_computed_call_that_does_not_hold_is_corrected() -> None:
    client, _ = ended("w = get_weather('Paris')\nget_weather(**{w['text']: 1})", WET)
    second = client.ask(fenced("now()"))
    assert "unexpected argument wet" in second.question
    assert second.calls == [NOW]


def test_a_program_beyond_its_limits_is_corrected() -> None:
    code = "w = get_weather('Paris')\nwhile w['rain']:\n    pass"
    client, _ = ended(code, WET, limits=RunLimits(seconds=0.2))
    assert "TimeoutError" in client.ask(whole("It never ends.")).question


CAUGHT = """\
for city in ["Paris", "Rome"]:
    try:
        print(city, get_weather(city)["text"])
    except ToolError as e:
        print(city, "failed:", e)"""


def test_a_tool_error_is_raised_in_the_program() -> None:
    client = Client(final="output")
    first = client.ask(fenced(CAUGHT))
    assert first.calls == [PARIS]
    client.give(first, Failed("no such city"))
    second = client.ask()
    assert second.calls == [ROME]
    client.give(second, DRY)
    assert client.ask().text == "Paris failed: no such city\nRome dry\n"


def test_an_uncaught_tool_error_goes_to_the_model() -> None:
    client, _ = ended("w = get_weather('Paris')\nsend(to='a', body=w['text'])", Failed("no such city"))
    second = client.ask(whole("There is no such city."))
    assert "ToolError: no such city" in second.question
    assert "line 1: w = get_weather('Paris')" in second.question
    assert second.text == "There is no such city."


BATCH = """\
found = []
try:
    for city in ["Paris", "Rome", "Oslo"]:
        found.append(get_weather(city))
except ToolError as e:
    send(to="a", body=str(e))
print([w["text"] for w in found])"""


def test_one_of_a_batch_failed_and_was_caught() -> None:
    """The others left with it, though the program goes another way; none of them leaves again."""
    client = Client(final="output")
    first = client.ask(fenced(BATCH))
    assert len(first.calls) == 3
    client.give(first, WET, Failed("down"), DRY)
    second = client.ask()
    assert second.calls == [("send", '{"to": "a", "body": "down"}')]
    client.give(second, "ok")
    assert client.ask().text == "['wet']\n"


KEPT = """\
found = []
for city in ["Paris", "Rome", "Oslo"]:
    try:
        found.append(get_weather(city))
    except ToolError as e:
        found.append({"text": str(e)})
print([w["text"] for w in found])"""


def test_handlers_that_only_keep_something_else_let_all_calls_leave() -> None:
    client = Client(final="output")
    client.give(client.ask(fenced(KEPT)), Failed("a"), DRY, Failed("c"))
    assert client.ask().text == "['a', 'dry', 'c']\n"


GUARDED = """\
try:
    get_weather("Paris")
except ToolError:
    get_weather("Rome")
send(to="a", body="done")"""


def test_what_an_error_could_change_waits_for_the_result() -> None:
    client = Client(final="output")
    first = client.ask(fenced(GUARDED))
    assert first.calls == [PARIS]
    client.give(first, Failed("down"))
    assert client.ask().calls == [ROME, ("send", '{"to": "a", "body": "done"}')]


def test_a_failure_that_ends_the_batch_leaves_its_other_calls_alone() -> None:
    code = "try:\n    a = get_weather('Paris')\n    b = get_weather('Rome')\n    print(a, b)\nexcept ToolError as e:\n    print('no:', e)"
    client, first = ended(code, Failed("down"), DRY, final="output")
    assert first.calls == [PARIS, ROME]
    last = client.ask()
    assert (last.text, last.calls) == ("no: down\n", [])


def test_equal_calls_of_which_one_failed() -> None:
    code = "found = []\nfor i in range(3):\n    try:\n        found.append(now())\n    except ToolError:\n        found.append('failed')\nprint(found)"
    client, first = ended(code, 1, Failed("x"), 3, final="output")
    assert first.calls == [NOW, NOW, NOW]
    assert client.ask().text == "[1, 'failed', 3]\n"
