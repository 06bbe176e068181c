"""A shape that is read wrongly would measure nothing, so each is read once, short."""

from __future__ import annotations

import pytest

from benchmarks.reading import SHAPES, Shape, read_once

BYTES = 8_000


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_what_a_shape_has_is_read(shape: Shape) -> None:
    text, _ = shape.write(BYTES)
    assert BYTES * 0.8 < len(text) < BYTES * 1.2
    read_once(shape, BYTES)
