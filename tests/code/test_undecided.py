"""An example that is called does what nobody asked for; a call taken for an example is lost."""

from __future__ import annotations

from emulator.code.parts import Aside, BlockEnd, BlockStart, Piece, Prose, StrayThoughtEnd
from emulator.code.statements import Statement
from emulator.code.undecided import Undecided


def block(source: str) -> list[Piece]:
    raw = f"```\n{source}\n```"
    return [BlockStart(fenced=True), Statement(source, 1), BlockEnd(raw, fenced=True, closed=True)]


def decided(*pieces: Piece, complete: bool = True) -> list[str]:
    """The text that is said, and ``!source`` for what is called."""
    undecided = Undecided(lambda source: "(" in source)
    out = [*undecided.feed(pieces), *undecided.finish(complete=complete)]
    shown: list[str] = []
    for piece in out:
        match piece:
            case Prose(text):
                shown.append(text)
            case Statement(source):
                shown.append(f"!{source}")
            case _:
                pass
    return shown


def test_an_example_is_text_if_a_call_follows() -> None:
    example = Prose("For example:\n")
    assert decided(example, *block("f(1)"), Prose("So:\n"), *block("f(2)")) == [
        "For example:\n", "```\nf(1)\n```", "So:\n", "!f(2)",
    ]  # fmt: skip
    assert decided(example, *block("f(1)"), Prose("That is all.")) == ["For example:\n", "!f(1)", "That is all."]
    assert decided(example, *block("f(1)"), Prose("See:\n"), *block("x")) == ["For example:\n", "!f(1)", "See:\n", "!x"]


def test_examples_among_themselves_are_calls() -> None:
    one, two = Prose("For example:\n"), Prose("Another example:\n")
    assert decided(one, *block("f(1)"), two, *block("f(2)")) == [one.text, "!f(1)", two.text, "!f(2)"]


def test_an_example_behind_the_call_is_text() -> None:
    assert decided(*block("f(1)"), Prose("For example:\n"), *block("f(2)"))[1:] == ["For example:\n", "```\nf(2)\n```"]


def test_what_isnt_made_is_text() -> None:
    for words in ("I can't call it, but it would be:\n", "Hypothetically:\n"):
        assert decided(Prose(words), *block("f(1)")) == [words, "```\nf(1)\n```"]
    assert decided(Prose("For example:\n"), *block("f(1)"), Prose("I did not run it."))[1] == "```\nf(1)\n```"


def test_only_the_sentence_before_a_block_introduces_it() -> None:
    words = Prose("Cities, for example Paris, have weather. I look it up:\n")
    assert decided(words, *block("f(1)"), *block("f(2)")) == [words.text, "!f(1)", "!f(2)"]


def test_calls_among_marks_are_made_at_the_end_alone() -> None:
    aside = Aside("- `f(1)`\n", "f(1)", closed=True)
    assert decided(aside) == ["!f(1)"]
    assert decided(Prose("Calls:\n"), aside, Prose("\n"), aside) == ["Calls:\n", "!f(1)", "\n", "!f(1)"]
    assert decided(Prose("Like these.\n"), aside) == ["Like these.\n", "- `f(1)`\n"]
    assert decided(Prose("An example:\n"), aside) == ["An example:\n", "- `f(1)`\n"]
    assert decided(aside, Prose("Which one?")) == ["- `f(1)`\n", "Which one?"]
    assert decided(aside, *block("f(2)")) == ["- `f(1)`\n", "!f(2)"]
    assert decided(*block("f(2)"), aside) == ["!f(2)", "- `f(1)`\n"]
    assert decided(aside, complete=False) == ["- `f(1)`\n"]


def test_what_others_said_is_text() -> None:
    said = Prose("The tool answered:\n")
    assert decided(said, *block("f(1)"), Prose("So:\n"), *block("f(2)")) == [
        said.text, "```\nf(1)\n```", "So:\n", "!f(2)",
    ]  # fmt: skip
    quoted: list[Piece] = [BlockStart(fenced=True, quoted=True), *block("f(1)")[1:]]
    assert decided(*quoted) == ["!f(1)"]
    assert decided(Prose("I need this.\n"), *quoted)[1] == "!f(1)"
    assert decided(*quoted, Prose("Ignored.")) == ["```\nf(1)\n```", "Ignored."]
    assert decided(*quoted, *block("f(2)")) == ["```\nf(1)\n```", "!f(2)"]
    assert decided(*block("f(2)"), *quoted) == ["!f(2)", "```\nf(1)\n```"]


def test_a_question_behind_what_can_be_done_is_for_the_user() -> None:
    possible = Prose("I can run it:\n")
    assert decided(possible, *block("f(1)"), Prose("Right?")) == [possible.text, "```\nf(1)\n```", "Right?"]
    assert decided(possible, *block("f(1)"), Prose("Done."))[1] == "!f(1)"
    assert decided(possible, *block("f(1)"), Prose("And:\n"), *block("f(2)"))[1::2] == ["!f(1)", "!f(2)"]


def test_a_placeholder_waits_for_its_question() -> None:
    one = block("f('<city>')")
    assert decided(*one) == ["!f('<city>')"]
    assert decided(*one, Prose("Which?")) == ["```\nf('<city>')\n```", "Which?"]
    assert decided(*one, Prose("So:\n"), *block("f(2)"))[::2] == ["```\nf('<city>')\n```", "!f(2)"]


def test_where_words_are_cut_changes_nothing() -> None:
    words = "A. " * 400 + "For example, " + "words " * 50 + ":\n"
    assert (
        decided(Prose(words), *block("f(1)"), Prose("Right?"))[1:]
        == decided(*map(Prose, words), *block("f(1)"), Prose("Right?"))[len(words) :]
    )


def test_what_was_a_thought_is_no_call() -> None:
    assert decided(Prose("For example:\n"), *block("f(1)"), StrayThoughtEnd(), Prose("Hi")) == [
        "For example:\n", "```\nf(1)\n```", "Hi",
    ]  # fmt: skip
