"""Whatever the schema, a value that is valid has its place in the grammar: the tables have only what came to mind."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emulator.tools.grammar.answers import Demands, answer_grammar
from tests.tools.grammar.reading import fenced, function, stubs_of
from tests.tools.grammar.recognising import admits
from tests.tools.grammar.rendering import call_text

Json = dict[str, Any]
NAMES = st.text(st.sampled_from('abxyz_-. 1é"\\'), min_size=1, max_size=4) | st.sampled_from(["from", "list", "self"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = TEXTS | st.integers(-100, 100) | st.booleans() | st.none()
ANYTHING = st.recursive(
    SCALARS | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
Pair = tuple[Json, st.SearchStrategy[Any]]
"""A schema and values that it admits."""


def whole(low: int, span: int) -> Pair:
    return {"type": "integer", "minimum": low, "maximum": low + span}, st.integers(low, low + span)


def fraction(low: int, span: int) -> Pair:
    return {"type": "number", "minimum": low, "maximum": low + span}, st.floats(low, low + span) | st.integers(
        low, low + span
    )


def text(low: int, span: int) -> Pair:
    values = st.text(st.characters(exclude_categories=["Cs"]), min_size=low, max_size=low + span)
    return {"type": "string", "minLength": low, "maxLength": low + span}, values


def array(inner: Pair, low: int, span: int) -> Pair:
    values = st.lists(inner[1], min_size=low, max_size=low + span)
    return {"type": "array", "items": inner[0], "minItems": low, "maxItems": low + span}, values


def tuple_of(inner: list[Pair]) -> Pair:
    return {"type": "array", "prefixItems": [schema for schema, _ in inner]}, st.tuples(
        *[values for _, values in inner]
    ).map(list)


def record(fields: dict[str, Pair], left_out: set[int], closed: bool) -> Pair:
    required = [name for index, name in enumerate(fields) if index not in left_out]
    schema: Json = {
        "type": "object",
        "properties": {name: pair[0] for name, pair in fields.items()},
        "required": required,
    }
    values = st.fixed_dictionaries(
        {name: fields[name][1] for name in required},
        optional={name: pair[1] for name, pair in fields.items() if name not in required},
    )
    return schema | ({"additionalProperties": False} if closed else {}), values


def either(options: list[Pair]) -> Pair:
    return {"anyOf": [schema for schema, _ in options]}, st.one_of([values for _, values in options])


LEAVES: st.SearchStrategy[Pair] = st.one_of(
    st.builds(whole, st.integers(-50, 50), st.integers(0, 200)),
    st.builds(fraction, st.integers(-50, 50), st.integers(0, 20)),
    st.builds(text, st.integers(0, 3), st.integers(0, 20)),
    st.lists(SCALARS, min_size=1, max_size=4).map(lambda values: ({"enum": values}, st.sampled_from(values))),
    st.just(({}, ANYTHING)),
    st.just(({"type": ["boolean", "null"]}, st.booleans() | st.none())),
)
PAIRS: st.SearchStrategy[Pair] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(array, inner, st.integers(0, 2), st.integers(0, 2)),
        st.lists(inner, min_size=1, max_size=3).map(tuple_of),
        st.builds(record, st.dictionaries(NAMES, inner, max_size=3), st.sets(st.integers(0, 2)), st.booleans()),
        st.lists(inner, min_size=2, max_size=3).map(either),
        inner.map(
            lambda pair: (
                {"type": "object", "additionalProperties": pair[0]},
                st.dictionaries(TEXTS, pair[1], max_size=2),
            )
        ),
    ),
    max_leaves=6,
)
TOOLS = st.builds(record, st.dictionaries(NAMES, PAIRS, max_size=4), st.sets(st.integers(0, 3)), st.just(True))


@given(data=st.data())
@settings(max_examples=60)
def test_a_valid_call_is_admitted(data: st.DataObject) -> None:
    schema, values = data.draw(TOOLS)
    arguments = data.draw(values)
    assume(jsonschema_rs.is_valid(schema, arguments))
    [stub] = stubs_of([function("f", schema)])
    call = call_text(stub, arguments, classes=data.draw(st.booleans()))
    assert admits(answer_grammar([stub], Demands(required=True)), fenced(call)), (schema, call)
