"""Chat templates that refuse an order of roles refuse the whole request: the order must hold, and no word be lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emulator.profiles import PromptStyle
from emulator.shape import appended, joined, merged, ordered

Json = dict[str, Any]
FILLERS = ("Hello.", "Go on.")
EXAMPLES = [{"role": "user", "content": "example"}, {"role": "assistant", "content": "so"}]

IMAGE = {"type": "image_url", "image_url": {"url": "data:x"}}
words = st.sampled_from(["", " ", "one", "two\nlines", "three"])
parts = st.lists(words.map(lambda text: {"type": "text", "text": text}) | st.just(IMAGE), max_size=3)
names = st.sampled_from([{}, {"name": "bob"}, {"refusal": "I won't."}])


def message(role: str, content: str | list[Json], fields: Json) -> Json:
    return {"role": role, "content": content} | fields


def said_by(*roles: str) -> st.SearchStrategy[Json]:
    return st.builds(message, st.sampled_from(roles), words | parts, names)


styles = st.builds(PromptStyle, system_role=st.booleans(), alternate=st.booleans(), assistant_prefix=st.booleans())
systems = st.lists(said_by("system"), max_size=2)
turns = st.lists(said_by("user", "assistant", "system"), max_size=6)


def text_of(content: str | list[Json]) -> list[str]:
    """The words of a content, each line with something on it by itself."""
    text = content if isinstance(content, str) else "\n".join(part.get("text", part["type"]) for part in content)
    return [line for line in text.split("\n") if line.strip()]


def all_text(messages: list[Json]) -> list[str]:
    return [line for message in messages for line in text_of(message["content"])]


@given(systems, st.sampled_from([[], EXAMPLES]), turns, styles)
def test_whatever_is_said_the_order_holds_and_nothing_is_lost(
    system: list[Json], examples: list[Json], said: list[Json], style: PromptStyle
) -> None:
    messages = ordered(system, examples, said, style, FILLERS)
    roles = [message["role"] for message in messages]
    if not style.system_role:
        assert "system" not in roles
    if not style.assistant_prefix:
        assert roles[-1:] != ["assistant"]
    if style.alternate:
        behind = roles[1:] if roles[0] == "system" else roles
        assert behind == ["user", "assistant"] * (len(behind) // 2) + ["user"] * (len(behind) % 2)
        assert behind
        assert all(text_of(message["content"]) for message in messages)
        assert all(message.keys() == {"role", "content"} for message in messages)
    given_words = all_text([*system, *examples, *said])
    kept = [line for line in all_text(messages) if line not in (*FILLERS, "I won't.")]
    assert kept == given_words


@given(systems, turns)
def test_the_order_is_left_alone_where_a_template_takes_any(system: list[Json], said: list[Json]) -> None:
    assert ordered(system, EXAMPLES, said, PromptStyle(), FILLERS) == [*system, *EXAMPLES, *merged(said)]


def test_system_text_begins_the_first_user_message_and_stays_where_it_was_later() -> None:
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi", "name": "bob"}
    answer, later = {"role": "assistant", "content": "Ho"}, {"role": "system", "content": "Be long."}
    style = PromptStyle(system_role=False)
    assert ordered([system], [], [user, answer, later], style, FILLERS) == [
        {"role": "user", "content": "Be brief.\n\nHi", "name": "bob"},
        answer,
        {"role": "user", "content": "Be long."},
    ]
    assert ordered([system], EXAMPLES, [user], style, FILLERS)[0]["content"] == "Be brief.\n\nexample"
    assert ordered([system], [], [answer], style, FILLERS)[0] == {"role": "user", "content": "Be brief."}


def test_an_assistant_who_speaks_first_is_greeted_and_is_no_part_of_an_example() -> None:
    answer = {"role": "assistant", "content": "Welcome!"}
    style = PromptStyle(alternate=True)
    assert ordered([], EXAMPLES, [answer], style, FILLERS)[-2:] == [{"role": "user", "content": "Hello."}, answer]


def test_a_refusal_is_what_the_assistant_said() -> None:
    refused = {"role": "assistant", "content": "", "refusal": "I won't."}
    said = [{"role": "user", "content": "x"}, refused]
    assert ordered([], [], said, PromptStyle(alternate=True), FILLERS)[-1]["content"] == "I won't."


def test_one_who_must_not_go_on_is_asked_to() -> None:
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "The answer"}]
    style = PromptStyle(assistant_prefix=False)
    assert ordered([], [], said, style, FILLERS) == [*said, {"role": "user", "content": "Go on."}]


def test_only_plain_text_is_merged() -> None:
    named = {"role": "user", "content": "b", "name": "bob"}
    text, image = {"role": "user", "content": "a"}, {"role": "user", "content": [IMAGE]}
    rule = {"role": "system", "content": "s"}
    assert merged([text, text, named, text, image, rule, rule]) == [
        {"role": "user", "content": "a\n\na"},
        named,
        text,
        image,
        rule,
        rule,
    ]


def test_who_spoke_last_goes_on_in_the_same_message() -> None:
    image, text = {"role": "user", "content": [IMAGE]}, {"role": "user", "content": "more"}
    assert appended([image], text) == [{"role": "user", "content": [IMAGE, {"type": "text", "text": "more"}]}]
    named = {"role": "user", "content": "b", "name": "bob"}
    assert appended([named], text) == [named, text]
    assert appended([], text, text) == [{"role": "user", "content": "more\n\nmore"}]


def test_a_hundred_thousand_neighbours_are_joined_at_once() -> None:
    """Joined one by one, they would be copied a hundred thousand times."""
    many = [{"role": "user", "content": "x" * 100}] * 100_000
    for style in (PromptStyle(), PromptStyle(alternate=True)):
        [message] = ordered([], [], many, style, FILLERS)
        assert len(message["content"]) == 102 * 100_000 - 2


def test_contents_of_both_kinds_become_parts() -> None:
    assert joined(["a", "", "b"]) == "a\n\nb"
    assert joined(["a", [IMAGE], ""]) == [{"type": "text", "text": "a"}, IMAGE]
    assert joined([]) == ""
