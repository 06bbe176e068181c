"""The bar for reading: whatever of hundreds of ways a model chooses to write its calls, the right ones come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import islice
from random import Random

import pytest

from tests.styles.cases import Case, cases, read_rows
from tests.styles.reading import hear
from tests.styles.render import by_row, by_style
from tests.styles.table import STYLES

SEED = 4
SHARE = 0.995
"""How many of the answers have to be read right; fewer would mean that a whole style isn't."""


@cache
def rows() -> tuple[Case, ...]:
    return tuple(cases(read_rows()))


def in_chunks(text: str, rng: Random) -> Iterator[str]:
    """The text as a stream brings it: mostly a few characters at a time."""
    left = iter(text)
    while chunk := "".join(islice(left, rng.choice([1, 1, 2, 3, 5, 8, 40]))):
        yield chunk


def test_a_seed_says_it_all() -> None:
    some = STYLES[::9]
    first, again, other = (list(by_style(some, rows(), seed, 1)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_style_fits_some_row() -> None:
    assert {line["style"] for line in by_style(STYLES, rows(), SEED, 1)} == {style.name for style in STYLES}


def test_names_are_unique() -> None:
    assert max(Counter(style.name for style in STYLES).values()) == 1


def test_every_row_can_be_rendered_once() -> None:
    lines = list(by_row(STYLES, rows(), SEED))
    assert len(lines) == len(rows())
    assert len({line["style"] for line in lines}) > len(rows()) // 2


@pytest.mark.parametrize("cut", ["whole", "character by character", "in chunks"])
def test_what_is_meant_is_called(cut: str) -> None:
    by_id = {case.id: case for case in rows()}
    wrong: list[str] = []
    count = 0
    for line in by_style(STYLES, rows(), SEED, 1):
        text: str = line["text"]
        pieces = {"whole": [text], "character by character": list(text)}.get(cut)
        heard = hear(by_id[line["case"]], pieces or list(in_chunks(text, Random(line["id"]))))
        count += 1
        if heard.calls != line["expected"]:
            wrong.append(f"{line['id']}\n{text}\n  expected {line['expected']}\n  got      {heard.calls}")
    assert len(wrong) <= count * (1 - SHARE), f"{len(wrong)} of {count}:\n" + "\n\n".join(wrong[:40])


def test_plain_and_streamed_say_the_same() -> None:
    """Words, too, and how often the model is asked."""
    by_id = {case.id: case for case in rows()}
    for line in by_style(STYLES, rows(), SEED + 1, 1):
        case, text = by_id[line["case"]], line["text"]
        assert hear(case, [text]) == hear(case, list(in_chunks(text, Random(line["id"])))), line["id"]
