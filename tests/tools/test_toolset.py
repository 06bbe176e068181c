"""The same tools again must cost a hash, another set never the wrong stub, and a bad schema its own sentence."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest

from emulator.errors import InvalidRequest
from emulator.tools import lark
from emulator.tools.grammar.answers import Demands
from emulator.tools.jobs import GrammarTooSlow, StubFault, StubJob, StubResult, do
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolset import Tool, ToolSet, ToolSets

LIMITS = SchemaLimits(bytes=100_000, depth=16, properties=100, enum=100)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass(frozen=True)
class Declared:
    name: str
    parameters: Any = None
    description: str | None = None
    returns: Any = None
    grammar: str | None = None
    place: str = "tools"


class Maker:
    """Makes stubs here, and remembers for whom."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, jobs: Sequence[StubJob]) -> list[StubResult]:
        self.made.extend(job.name for job in jobs)
        return [do(job) for job in jobs]


class Here:
    """Works with grammars in this process; one named ``slow`` takes too long."""

    def fault(self, grammar: str) -> str | None:
        return lark.fault(grammar)

    def mismatch(self, grammar: str, text: str) -> str | None:
        if "slow" in grammar:
            raise GrammarTooSlow
        return lark.mismatch(grammar, text)


def sets(capacity: int = 100_000) -> tuple[ToolSets, Maker]:
    maker = Maker()
    return ToolSets(maker, LIMITS, capacity, grammars=Here()), maker


def test_known_tools_and_sets_are_not_made_again() -> None:
    known, maker = sets()
    first = known.get([Declared("a", CITY), Declared("b")])
    assert known.get([Declared("a", CITY), Declared("b")]) is first
    other = known.get([Declared("b"), Declared("c")])
    assert other.key != first.key
    assert maker.made == ["a", "b", "c"]


@pytest.mark.parametrize(
    "changed",
    [
        Declared("a", CITY, "Another description."),
        Declared("a", {**CITY, "required": []}),
        Declared("a", {"required": ["city"], "properties": CITY["properties"], "type": "object"}),
        Declared("a2", CITY),
        Declared("a", CITY, returns={"type": "string"}),
        Declared("a", CITY, grammar='start: "x"'),
    ],
)
def test_whatever_differs_in_a_tool_makes_another(changed: Declared) -> None:
    known, maker = sets()
    known.get([Declared("a", CITY)])
    known.get([changed])
    assert len(maker.made) == 2


def test_python_names_are_unique_and_the_client_s_come_back() -> None:
    tools = known_set("get-weather", "get_weather", "class", "1st", "print", "getWeather")
    python_names = [tool.python_name for tool in tools.by_name.values()]
    assert len(set(python_names)) == 6
    assert all(name.isidentifier() for name in python_names)
    assert list(tools.by_name) == ["get-weather", "get_weather", "class", "1st", "print", "getWeather"]
    assert tools.by_name["get_weather"].python_name == "get_weather"


def known_set(*names: str) -> Any:
    known, _ = sets()
    return known.get([Declared(name) for name in names])


def test_stubs_of_some_or_all() -> None:
    tools = known_set("a", "b", "c")
    assert tools.stubs(["a", "c"]) == "def a() -> Any: ...\n\ndef c() -> Any: ..."


def nested(name: str, **properties: Any) -> Declared:
    inner = {"type": "object", "properties": properties}
    schema = {"type": "object", "properties": {"filter": inner}, "required": ["filter"]}
    return Declared(name, schema, place=f"the place of {name}")


def classes(tools: ToolSet) -> list[str]:
    module = ast.parse(tools.stubs(list(tools.by_name)))
    return [node.name for node in module.body if isinstance(node, ast.ClassDef)]


def test_a_class_name_means_one_thing_in_a_set() -> None:
    known, maker = sets()
    tools = known.get([nested("a", x={}), nested("b", y={}), nested("c", x={})])
    assert classes(tools) == ["Filter", "BFilter"]
    assert tools.by_name["b"].model_fields == {"BFilter": ("y",)}
    assert maker.made == ["a", "b", "c", "b"]
    assert classes(known.get([nested("b", y={})])) == ["Filter"]
    assert maker.made == ["a", "b", "c", "b"]


def test_names_that_are_made_to_clash_do_not() -> None:
    known, _ = sets()
    declared = [
        nested("Filter", x={}),
        *(nested(name, **{f"f{index}": {}}) for index, name in enumerate(["a", "A", "_a", "FilterFilter", "AFilter"])),
    ]
    tools = known.get(declared)
    named = [name for tool in tools.by_name.values() for name in tool.model_fields]
    assert len(set(named)) == len(named) == 6
    assert not set(named) & {tool.python_name for tool in tools.by_name.values()}


def test_a_renamed_tool_that_fails_is_named_by_its_own_place() -> None:
    class Fails(Maker):
        def __call__(self, jobs: Sequence[StubJob]) -> list[StubResult]:
            return [StubFault("too slow") if job.reserved else do(job) for job in jobs]

    with pytest.raises(InvalidRequest) as caught:
        ToolSets(Fails(), LIMITS, 9).get([nested("a", x={}), nested("b", y={})])
    assert caught.value.param == "the place of b"


ITEM = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def test_classes_of_results_are_named_as_those_of_arguments() -> None:
    known, _ = sets()
    tools = known.get(
        [
            nested("a", x={}),
            Declared("b", returns={**ITEM, "title": "Filter"}),
            Declared("c", returns={**ITEM, "title": "Item"}),
            Declared("d", returns={"type": "array", "items": {"$ref": "#/$defs/Item"}, "$defs": {"Item": ITEM}}),
            Declared("e", returns=ITEM),
            Declared("f", returns=ITEM),
        ]
    )
    assert tools.stubs(["b", "c", "d", "e", "f"]).count("class Item(TypedDict)") == 1
    assert classes(tools) == ["Filter", "BFilter", "Item", "EResult", "FResult"]
    assert [tool.model_fields for tool in tools.by_name.values()] == [{"Filter": ("x",)}, {}, {}, {}, {}, {}]


def test_a_result_that_its_maker_can_not_take_costs_the_tool_its_type_only() -> None:
    class Fails(Maker):
        def __call__(self, jobs: Sequence[StubJob]) -> list[StubResult]:
            self.made.extend(job.name for job in jobs)
            return [StubFault("ended over it") if job.returns == "bomb" else do(job) for job in jobs]

    maker = Fails()
    known = ToolSets(maker, LIMITS, 100_000)
    declared = [Declared("a", CITY, returns=ITEM), Declared("b", CITY, returns="bomb"), Declared("c", CITY)]
    tools = known.get(declared)
    assert "def a(*, city: str) -> AResult: ..." in tools.stubs(["a"])
    assert tools.stubs(["b", "c"]) == "def b(*, city: str) -> Any: ...\n\ndef c(*, city: str) -> Any: ..."
    assert maker.made == ["a", "b", "c", "b"]
    known.get(declared[1:])
    assert maker.made == ["a", "b", "c", "b"]
    with pytest.raises(InvalidRequest, match="'d'"):
        known.get([Declared("d", {"type": "string"}, returns=ITEM)])


def test_a_job_crosses_processes_whole() -> None:
    job = StubJob("a-b", "a_b", "Does it.", CITY, LIMITS, ("Item",), ITEM)
    assert StubJob.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_a_proof_is_the_json_text_of_the_clients_names() -> None:
    schema = {
        "type": "object",
        "properties": {
            "from": {"type": "string"},
            "page-size": {"type": "integer"},
            "filter": {"type": "object", "properties": {"max-price": {"type": "number"}}},
        },
        "required": ["from"],
    }
    known, _ = sets()
    tool = known.get([Declared("find", schema)]).by_name["find"]
    assert set(tool.parameters) == {"from_", "page_size", "filter"}
    written = {"from_": "Zürich", "page_size": "10", "filter": {"max_price": 2**80}}
    proof = tool.prove(written)
    assert proof.errors == ()
    assert proof.arguments == f'{{"from":"Zürich","page-size":10,"filter":{{"max-price":{2**80}}}}}'
    assert tool.prove({}).errors == ('find: missing required argument "from_"',)
    assert tool.prove({}).arguments is None


def test_an_earlier_call_is_shown_in_the_stubs_names() -> None:
    filters = {"type": "object", "properties": {"max-price": {"type": "number"}, "tag": {"type": "string"}}}
    schema = {"type": "object", "properties": {"from": {}, "filters": {"type": "array", "items": filters}, "q": {}}}
    known, _ = sets()
    tools = known.get([Declared("find-it", schema)])
    past = {"from": 1, "filters": [{"max-price": 1, "tag": "x"}], "q": {"from": 2}, "other": 3}
    name, shown = tools.python_names("find-it", past)
    assert name == "find_it"
    assert shown == {"from_": 1, "filters": [{"max_price": 1, "tag": "x"}], "q": {"from": 2}, "other": 3}
    del past["other"]
    assert (
        json.loads(tools.by_name["find-it"].prove({k: v for k, v in shown.items() if k != "other"}).arguments or "")
        == past
    )
    assert tools.python_names("gone-now", {"a": 1}) == ("gone_now", {"a": 1})


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"type": "string"}, "object"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "properties.a"),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, "properties.a.pattern"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.com/a"}}}, "properties.a"),
        ([], "parameters"),
        ("x" * 10, "parameters"),
    ],
)
def test_a_schema_that_can_not_be_used_is_the_clients_error(parameters: Any, reason: str) -> None:
    known, _ = sets()
    with pytest.raises(InvalidRequest) as caught:
        known.get([Declared("fine", CITY), Declared("bad", parameters, place="tools[1].function.parameters")])
    error = caught.value
    assert (error.status, error.param, error.code) == (
        400,
        "tools[1].function.parameters",
        "invalid_function_parameters",
    )
    assert "'bad'" in error.message
    assert reason in error.message


def test_an_unknown_argument_is_answered_by_the_nearest_name() -> None:
    known, _ = sets()
    tool = known.get([Declared("weather", CITY)]).by_name["weather"]
    assert tool.prove({"city_name": "x"}).errors == (
        'weather: unexpected argument "city_name"; did you mean "city"?',
        'weather: missing required argument "city"',
    )


def test_choices_are_all_texts_that_a_schema_lets_one_choose() -> None:
    unit = {"anyOf": [{"enum": ["a", 1, None]}, {"const": "b"}]}
    tools = known_set("x")
    assert tools.by_name["x"].choices == frozenset()
    nested = {"type": "object", "properties": {"p": {"type": "array", "items": unit}, "q": {"$ref": "#/$defs/Q"}}}
    tool = Tool(tools.by_name["x"].stub, nested | {"$defs": {"Q": {"enum": ["c"]}}})
    assert tool.choices == {"a", "b", "c"}


def test_a_grammar_is_made_once_and_has_only_the_tools_named() -> None:
    known, _ = sets()
    tools = known.get([Declared("find-it", CITY), Declared("now")])
    grammar = tools.grammar(["find-it"], Demands())
    assert grammar is not None
    assert "find_it(" in grammar
    assert "now(" not in grammar
    assert tools.grammar(["find-it"], Demands()) is grammar
    assert tools.grammar(["find-it"], Demands(required=True)) != grammar


def test_no_grammar_is_made_that_no_server_could_read() -> None:
    """Hundreds of tools with long enums: the model server would parse megabytes, and this one write them."""
    known, _ = sets(10_000_000)
    long = [f"value {index}" for index in range(100)]
    schema = {"type": "object", "properties": {f"p{index}": {"enum": long} for index in range(20)}}
    tools = known.get([Declared(f"f{index}", schema) for index in range(6)])
    assert tools.grammar(["f0"], Demands()) is not None
    assert tools.grammar([f"f{index}" for index in range(6)], Demands()) is None


def test_a_decision_is_in_the_clients_names() -> None:
    known, _ = sets()
    tools = known.get([Declared("find-it", CITY), Declared("now")])
    schema = tools.decisions(["find-it"], required=True)
    assert schema is tools.decisions(["find-it"], required=True)
    decided = {"calls": [{"name": "find-it", "arguments": {"city": "Oslo"}}]}
    assert jsonschema_rs.is_valid(schema, decided)
    assert not jsonschema_rs.is_valid(schema, {"calls": [{"name": "now", "arguments": {}}]})
    assert not jsonschema_rs.is_valid(schema, {"answer": "Hello!"})
    assert jsonschema_rs.is_valid(tools.decisions(["find-it"]), {"answer": "Hello!"})


TEXT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def test_a_text_must_match_its_tools_grammar() -> None:
    known, _ = sets()
    tool = known.get([Declared("run-sql", TEXT, grammar='start: "SELECT " /[a-z]+/')]).by_name["run-sql"]
    assert tool.prove({"input": "SELECT x"}).arguments == '{"input":"SELECT x"}'
    assert tool.prove({"input": "DROP x"}).errors == (
        "run_sql: input must match its grammar; it can't go on at line 1, column 1, with 'DROP x'",
    )
    assert tool.prove({}).errors == ('run_sql: missing required argument "input"',)


def test_a_grammar_that_nothing_can_be_judged_by_is_the_clients_error() -> None:
    """Not a fault of the model's call, which would be asked for again and again."""
    known, _ = sets()
    tool = known.get([Declared("run-sql", TEXT, grammar='start: slow\nslow: "x"')]).by_name["run-sql"]
    with pytest.raises(InvalidRequest, match="custom tool 'run-sql': it takes too long") as caught:
        tool.prove({"input": "x"})
    assert (caught.value.status, caught.value.code) == (400, "invalid_grammar")


def test_a_grammar_that_can_not_be_compiled_is_the_clients_error() -> None:
    known, _ = sets()
    with pytest.raises(InvalidRequest) as caught:
        known.get([Declared("run-sql", TEXT, grammar="start: nothing", place="tools[0].format.definition")])
    error = caught.value
    assert (error.status, error.param, error.code) == (400, "tools[0].format.definition", "invalid_grammar")
    assert "'run-sql'" in error.message
    assert "nothing" in error.message
