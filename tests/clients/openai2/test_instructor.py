"""Instructor makes models of what is said: by one call that it demands, by several, or by a JSON Schema; what doesn't
validate is asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Literal

import instructor
import pytest
from instructor import Mode
from instructor.core import InstructorRetryException
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, Field, field_validator

from tests.live.server import Server
from tests.live.upstream import MODEL, USAGE


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float = Field(description="Degrees Celsius")


class Time(BaseModel):
    """The time somewhere."""

    zone: Literal["UTC", "CET"]


class Leg(BaseModel):
    start: str
    end: str
    by: Literal["train", "boat"]


class Trip(BaseModel):
    name: str
    legs: list[Leg]
    tags: dict[str, str]


class Person(BaseModel):
    """A person; names are written in capitals."""

    name: str

    @field_validator("name")
    @classmethod
    def in_capitals(cls, name: str) -> str:
        if name != name.upper():
            raise ValueError(f"{name} is not written in capitals.")
        return name


OSLO = Weather(city="Oslo", degrees=-3.5)
LISBON = Weather(city="Lisbon", degrees=21)
CHAT, RESPONSES = "Chat Completions", "Responses"
_API = {Mode.RESPONSES_TOOLS: RESPONSES}


def in_modes(*modes: Mode) -> pytest.MarkDecorator:
    rows = [
        pytest.param(
            mode, id=mode.name, marks=pytest.mark.client("Instructor", _API.get(mode, CHAT), package="instructor")
        )
        for mode in modes
    ]
    return pytest.mark.parametrize("mode", rows)


both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
by_tool = in_modes(Mode.TOOLS, Mode.TOOLS_STRICT, Mode.RESPONSES_TOOLS)
by_json = in_modes(Mode.JSON_SCHEMA, Mode.JSON, Mode.MD_JSON)
by_all = in_modes(Mode.TOOLS, Mode.RESPONSES_TOOLS, Mode.JSON_SCHEMA)
pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore:Mode.TOOLS_STRICT is deprecated")]


@pytest.fixture
def chat(server: Server, mode: Mode) -> Any:
    return instructor.from_openai(OpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0), mode=mode)


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def made(chat: Any, request: str, of: type[BaseModel], streamed: bool, **options: Any) -> Any:
    """A model of the request; if streamed, the last of those that grow while the answer comes."""
    given = {"model": MODEL, "messages": said(request), "response_model": of, **options}
    if not streamed:
        return chat.create(**given)
    *_, last = chat.create_partial(**given)
    return last


@by_tool
@both_ways
@pytest.mark.feature("output")
def test_a_model_is_made_by_a_call(chat: Any, streamed: bool) -> None:
    """The one tool is demanded by its name, which is the model's."""
    name = "PartialWeather" if streamed else "Weather"
    found = made(chat, f'How is it?\n@1 {name}(city="Oslo", degrees=-3.5)', Weather, streamed)
    assert found.model_dump() == OSLO.model_dump()


@by_json
@both_ways
@pytest.mark.feature("output")
def test_a_model_is_made_of_json(chat: Any, streamed: bool) -> None:
    """By the API's own format, by JSON mode, and by words alone."""
    json = '{"city": "Oslo", "degrees": -3.5}'
    found = made(chat, f"How is it?\n@json {json}\n@say {json}", Weather, streamed)
    assert found.model_dump() == OSLO.model_dump()


@by_all
@both_ways
@pytest.mark.feature("nested")
def test_models_hold_models(chat: Any, mode: Mode, streamed: bool) -> None:
    """Lists of models and maps in one answer."""
    trip = '{"name": "North", "legs": [{"start": "Bergen", "end": "Oslo", "by": "train"}], "tags": {"for": "two"}}'
    name = "PartialTrip" if streamed else "Trip"
    script = f"@json {trip}" if mode is Mode.JSON_SCHEMA else f"@1 {name}(**{trip})"
    found = made(chat, f"Plan.\n{script}", Trip, streamed)
    assert found.model_dump() == Trip.model_validate_json(trip).model_dump()


@by_all
@both_ways
@pytest.mark.feature("unicode")
def test_other_scripts_and_code_arrive_unchanged(chat: Any, mode: Mode, streamed: bool) -> None:
    """Whichever way the text goes."""
    text = 'Grüße 日本 🦆 "quoted" ```python\nnote(text="x")\n``` \' end'
    weather = Weather(city=text, degrees=1)
    name = "PartialWeather" if streamed else "Weather"
    script = (
        f"@json {weather.model_dump_json()}" if mode is Mode.JSON_SCHEMA else f"@1 {name}(city={text!r}, degrees=1)"
    )
    assert made(chat, f"?\n{script}", Weather, streamed).city == text


@by_all
@pytest.mark.feature("output", mode="streamed")
def test_a_list_of_models_is_streamed(chat: Any, mode: Mode) -> None:
    """``create_iterable`` gives each as soon as it is whole."""
    tasks = [OSLO.model_dump(), LISBON.model_dump()]
    script = f'@json {{"tasks": [{OSLO.model_dump_json()}, {LISBON.model_dump_json()}]}}'
    script = script if mode is Mode.JSON_SCHEMA else f"@1 IterableWeather(tasks={tasks})"
    assert list(chat.create_iterable(model=MODEL, messages=said(f"?\n{script}"), response_model=Weather)) == [
        OSLO,
        LISBON,
    ]


@in_modes(Mode.PARALLEL_TOOLS)
@pytest.mark.feature("parallel")
def test_models_of_several_kinds_are_made_by_parallel_calls(chat: Any) -> None:
    """Nothing is demanded: each call is a model of its own kind.  The mode has no streams."""
    request = '?\n@1 Weather(city="Oslo", degrees=-3.5)\n@1 Time(zone="CET")\n@1 Weather(city="Lisbon", degrees=21)'
    found = chat.create(model=MODEL, messages=said(request), response_model=Iterable[Weather | Time])
    assert list(found) == [OSLO, Time(zone="CET"), LISBON]


@by_all
@pytest.mark.feature("tool errors")
def test_what_does_not_validate_is_asked_for_again(chat: Any, mode: Mode) -> None:
    """The call goes back with the validator's words as its result; JSON goes back with a user's words."""
    request = '?\n@1 Person(name="Ada")\n@2 Person(name="ADA")'
    if mode is Mode.JSON_SCHEMA:
        wrong = said('?\n@json {"name": "Ada"}')
        with pytest.raises(InstructorRetryException, match="Ada is not written in capitals"):
            chat.create(model=MODEL, messages=wrong, response_model=Person, max_retries=1)
        return
    found = chat.create(model=MODEL, messages=said(request), response_model=Person, max_retries=2)
    assert found.model_dump() == {"name": "ADA"}


@by_all
@both_ways
@pytest.mark.feature("output")
def test_the_asynchronous_client(server: Server, mode: Mode, streamed: bool) -> None:
    """The same over asyncio."""
    client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0)
    chat: Any = instructor.from_openai(client, mode=mode)
    name = "PartialWeather" if streamed else "Weather"
    request = f'?\n@1 {name}(city="Oslo", degrees=-3.5)'
    if mode is Mode.JSON_SCHEMA:
        request = f"?\n@json {OSLO.model_dump_json()}"
    given = {"model": MODEL, "messages": said(request), "response_model": Weather}

    async def answer() -> Any:
        if not streamed:
            return await chat.create(**given)
        return [part async for part in chat.create_partial(**given)][-1]

    assert asyncio.run(answer()).model_dump() == OSLO.model_dump()


@in_modes(Mode.TOOLS, Mode.JSON_SCHEMA)
@pytest.mark.feature("usage")
def test_the_completion_comes_beside_the_model(chat: Any, mode: Mode) -> None:
    """With what it has cost."""
    script = f"@json {OSLO.model_dump_json()}" if mode is Mode.JSON_SCHEMA else '@1 Weather(city="Oslo", degrees=-3.5)'
    given = {"model": MODEL, "messages": said(f"?\n{script}"), "response_model": Weather}
    found, completion = chat.create_with_completion(**given)
    assert found.model_dump() == OSLO.model_dump()
    assert completion.usage.total_tokens == USAGE["total_tokens"]


@by_all
@both_ways
@pytest.mark.feature("faults")
def test_a_failure_is_its_own_exception(chat: Any, streamed: bool) -> None:
    """It says what the server has said."""
    with pytest.raises(InstructorRetryException, match="Scripted failure 400"):
        made(chat, "?\n@status 400", Weather, streamed, max_retries=1)
