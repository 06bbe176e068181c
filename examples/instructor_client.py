"""Instructor: two calls as Pydantic objects, then an answer of a given form.

Instructor needs version 2 of the openai package; in an environment of its own: ``pip install instructor``.
Start the server (``python app.py``), then ``python examples/instructor_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os
from collections.abc import Iterable

import instructor
from openai import OpenAI
from pydantic import BaseModel, Field

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


class get_weather(BaseModel):  # noqa: N801 - the tool's name
    """Current weather in a city."""

    city: str

    def run(self) -> str:
        return f"{self.city}: snow, -2 °C"


class get_time(BaseModel):  # noqa: N801 - the tool's name
    """Current local time in a city."""

    city: str

    def run(self) -> str:
        return f"{self.city}: 14:30"


class Answer(BaseModel):
    """The answer to the user's question."""

    text: str = Field(description="One sentence for the user")


def main() -> None:
    base_url = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1")
    openai = OpenAI(base_url=base_url, api_key="not-needed")
    parallel = instructor.from_openai(openai, mode=instructor.Mode.PARALLEL_TOOLS)
    calls = list(
        parallel.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": QUESTION}],
            response_model=Iterable[get_weather | get_time],
        )
    )
    for call in calls:
        print(repr(call))
    known = "\n".join(call.run() for call in calls)
    client = instructor.from_openai(openai, mode=instructor.Mode.TOOLS)
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": f"{QUESTION}\n\nWhat is known:\n{known}"}],
        response_model=Answer,
    )
    print(answer.text)


if __name__ == "__main__":
    main()
