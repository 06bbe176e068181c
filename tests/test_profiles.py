"""A model's name decides how it is asked: what the files say must hold, and a wrong file must be easy to put right."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.profiles import BUILT_IN, PROMPTS, Profile, ProfileError, Profiles, PromptStyle, with_defaults
from emulator.profiles.document import with_current_keys
from emulator.profiles.keys import KEYS
from emulator.prompt import TEMPLATES

BUILT_INS = Profiles()
ROOT = Path(__file__).resolve().parents[1]


def profiles(folder: Path, **files: str) -> Profiles:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return Profiles(folder)


@pytest.mark.parametrize(
    ("model", "family", "facts"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "qwen", {"temperature": 0.7, "top_p": 0.8}),
        ("qwen2.5-coder-0.5b-instruct-q4_k_m", "qwen", {"opens_thought": False}),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen", {"temperature": 0.7, "assistant_prefix": True}),
        ("qwen3:8b", "qwen", {"temperature": 0.6, "assistant_prefix": False}),
        ("Qwen3-30B-A3B-Thinking-2507-FP8", "qwen", {"opens_thought": True}),
        ("Qwen-7B-Chat", "qwen", {"assistant_prefix": True}),
        ("Qwen/QwQ-32B", "qwq", {"opens_thought": True}),
        ("groq/qwen-qwq-32b", "qwq", {"opens_thought": True}),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek-r1", {"opens_thought": True, "system_role": False}),
        ("deepseek-r1:8b", "deepseek-r1", {"examples": False, "prompt": "short", "temperature": 0.6}),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1", {"opens_thought": False, "system_role": True}),
        ("deepseek-chat", "deepseek", {"opens_thought": False, "system_role": True}),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama", {"temperature": 0.6, "alternate": False}),
        ("codellama:7b", "llama", {"alternate": True}),
        ("google/gemma-2-9b-it", "gemma", {"system_role": False, "alternate": True}),
        ("gemma3:4b", "gemma", {"system_role": False, "alternate": True, "temperature": 1.0}),
        ("gemma4:26b", "gemma", {"system_role": True, "alternate": False, "tags": ("<|channel>thought", "<channel|>")}),
        ("microsoft/phi-4", "phi", {"stop": ("<|im_end|>", "<|im_start|>")}),
        ("phi3:mini", "phi", {"stop": ("<|end|>", "<|user|>")}),
        ("mistralai/Mistral-7B-Instruct-v0.2", "mistral", {"system_role": False, "alternate": True}),
        ("mistral-small3.2:24b", "mistral", {"system_role": True, "alternate": True, "temperature": 0.15}),
        ("mistralai/Magistral-Small-2509", "mistral", {"tags": ("[THINK]", "[/THINK]")}),
        ("openai/gpt-oss-20b", "gpt-oss", {"stop": (), "temperature": 1.0}),
        ("SmolLM2-135M-Instruct", "smollm", {"strategies": ("guided", "code", "bridge", "two_pass")}),
        ("kimi-k2.6", "kimi", {"sampling": ()}),
        ("kimi-k2-0905-preview", "kimi", {"temperature": 0.6}),
        ("cognitivecomputations/dolphin-2.6", "default", {}),
        ("gpt-4o", "default", {}),
        ("", "default", {}),
    ],
)
def test_models_are_known_by_the_names_they_go_by(model: str, family: str, facts: dict[str, Any]) -> None:
    profile = BUILT_INS.of(model)
    assert profile.name.partition("/")[0] == family
    known = asdict(profile) | asdict(profile.style) | dict(profile.sampling)
    assert {name: known[name] for name in facts} == facts


def test_the_default_file_is_the_default_and_has_every_key_that_has_a_value() -> None:
    assert BUILT_INS.of("") == Profile()
    written = tomllib.loads((BUILT_IN / "default.toml").read_text("utf-8"))
    assert set(written) == {*KEYS} - {"tags"}


@pytest.mark.parametrize("file", sorted(BUILT_IN.glob("*.toml")), ids=lambda file: file.stem)
def test_no_built_in_file_says_what_could_hurt(file: Path) -> None:
    """``native`` sends tools to the upstream, text as a stop sequence cuts answers, and few servers know top_k."""
    raw = tomllib.loads(file.read_text("utf-8"))
    for table in (raw, *raw.get("models", [])):
        assert "native" not in table.get("strategies", [])
        assert {*table.get("sampling", {})} <= {"temperature", "top_p"}
        assert not Profile(stop=tuple(table.get("stop", []))).stop_may_cut


@pytest.mark.parametrize("variant", PROMPTS[1:])
def test_a_variant_of_the_prompt_has_rules_of_its_own(variant: str) -> None:
    assert (TEMPLATES / variant / "system.jinja").is_file()


def test_the_users_files_come_first(tmp_path: Path) -> None:
    mine = profiles(tmp_path, b="match = 'gemma'\nstubs = 'system'", a="match = 'gemma-2'")
    assert mine.of("gemma-2-9b").name == "a"
    assert mine.of("gemma-3-4b").name == "b"
    assert mine.of("gemma-3-4b").style == PromptStyle(stubs="system"), "files don't add up"
    assert mine.of("qwen3:8b") == BUILT_INS.of("qwen3:8b")


def test_a_file_of_a_built_in_ones_name_takes_its_place(tmp_path: Path) -> None:
    mine = profiles(tmp_path, gemma="match = 'my-gemma'", default="stop = ['<end>']")
    assert mine.of("my-gemma").name == "gemma"
    assert mine.of("gemma-2-9b") == Profile(stop=("<end>",))


def test_an_entry_says_again_what_differs(tmp_path: Path) -> None:
    mine = profiles(
        tmp_path,
        acme="""
match = 'acme'
examples = false
sampling = { temperature = 0.5, top_p = 0.5 }
[[models]]
match = 'big'
sampling = { temperature = 1 }
[[models]]
match = 'big|small'
stubs = 'system'
""",
    )
    assert mine.of("acme-9").style == PromptStyle(examples=False)
    assert mine.of("ACME-Big") == Profile(
        name="acme/big", style=PromptStyle(examples=False), sampling=(("temperature", 1),)
    )
    assert mine.of("acme-small").style == PromptStyle(examples=False, stubs="system")
    assert mine.of("small").name == "default", "an entry is for models of its file only"


def test_only_the_end_of_a_long_name_is_looked_at() -> None:
    assert BUILT_INS.of("qwq" + "x" * 200) is BUILT_INS.of("x" * 10_000)
    assert BUILT_INS.of("/models/" * 1000 + "qwq-32b.gguf").name == "qwq"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("match = 'x'\nstubs = user\n", 2, "this is no TOML: Invalid value"),
        ("match = 'x'\n\nmatch = 'y'", 3, "this is no TOML: Cannot overwrite a value"),
        ("match = 'x'\n# so\nstop = [\n", 4, "this is no TOML"),
        ("match = 'x'\nstub = 'user'", 2, "there is no key 'stub'; did you mean 'stubs'?"),
        ("match = 'x'\nzzz = 1", 2, "there is no key 'zzz'; there are match, prompt, stubs,"),
        ("match = 'x'\n\nstubs = 'above'", 3, "'stubs' must be \"user\" or \"system\"; it is 'above'."),
        ("match = 'x'\nprompt = ['full']", 2, '\'prompt\' must be "full" or "short"; it is [\'full\'].'),
        ("alternate = 1\nmatch = 'x'", 1, "'alternate' must be true or false; it is 1."),
        ("stubs = 'user'", 1, "the file has no 'match', a regular expression"),
        ("match = '('", 1, "'match' is no regular expression (missing ), unterminated subpattern at position 0); it is '('."),
        ("match = ''", 1, "'match' must be a regular expression in quotes"),
        ("match = 'x'\ntags = ['<a>']", 2, "'tags' must be two different texts"),
        ("match = 'x'\nstop = ['a', 'b', 'c', 'd', 'e']", 2, "'stop' must be a list of at most 4 different texts"),
        ("match = 'x'\nstop = ['a', '']", 2, "'stop' must be a list of at most 4 different texts"),
        ("match = 'x'\nstrategies = []", 2, "'strategies' must be a list of one or more of native, guided, code,"),
        ("match = 'x'\nstrategies = ['kode']", 2, "'strategies' must be a list of one or more of native, guided, code,"),
        ("match = 'x'\n[sampling]\ntop_p = 0.5\ntemperature = 9", 4, "'sampling' must have a number from 0 to 2 as 'temperature'"),
        ("match = 'x'\n[sampling]\ntop_p = nan", 3, "'sampling' must have a number from 0 to 1 as 'top_p'"),
        ("match = 'x'\n[sampling]\ntop_k = 1.5", 3, "'sampling' must have a whole number as 'top_k'"),
        ("match = 'x'\n\nsampling = { heat = 1 }", 3, "'sampling' has no parameter 'heat'; there are temperature,"),
        ("match = 'x'\nsampling = 1", 2, "'sampling' must be a table of parameters and numbers"),
        ("match = 'x'\n[models]\nmatch = 'y'", 2, "'models' must be tables, each begun by a line [[models]]"),
        ("match = 'x'\nmodels = [1]", 2, "'models' must be tables"),
        ("match = 'x'\n\n[[models]]\nstubs = 'user'", 3, "[[models]] has no 'match'"),
        ("match = 'x'\n[[models]]\nmatch = 'y'\n[[models]]\nmatch = 'z'\nstop = 'a'", 6, "'stop' must be a list"),
        ("match = 'x'\n[[models]]\nmatch = 'y'\n[[models.models]]\nmatch = 'z'", 4, "there is no key 'models'"),
        ("match = '''\nexamples = 3\n'''\nexamples = 3", 4, "'examples' must be true or false"),
        ("match = 'x'\r\n\r\nexamples = 3", 3, "'examples' must be true or false"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    with pytest.raises(ProfileError) as raised:
        profiles(tmp_path, mine=text)
    told = str(raised.value)
    assert told.startswith(f"{tmp_path / 'mine.toml'}, line {line}: {sentence}")
    assert told.endswith((".", "?"))


def test_the_default_is_for_all(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"default\.toml, line 2: the default is for all models"):
        profiles(tmp_path, default="stubs = 'user'\nmatch = 'x'")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"# one\n# \xff\n", ", line 2: the file is not UTF-8 text."),
        (b"#" * 70_000, ", line 1: the file is too large; profiles have at most 65536 bytes."),
        (b"a = " + b"[" * 20_000, ", line 1: the values are nested too deeply."),
    ],
)
def test_what_is_no_text_of_profiles_is_told(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "mine.toml").write_bytes(data)
    with pytest.raises(ProfileError) as raised:
        Profiles(tmp_path)
    assert str(raised.value).endswith(sentence)


def test_a_folder_without_profiles_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"--profiles: .* can't be read \(No such file or directory\)\."):
        Profiles(tmp_path / "nowhere")
    with pytest.raises(ProfileError, match=r"--profiles: .* has no files that end with \.toml\."):
        Profiles(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ProfileError, match=r"--profiles: .*folder\.toml can't be read \(Is a directory\)\."):
        Profiles(tmp_path)


WARM = Profile(sampling=(("temperature", 0.5), ("top_p", 0.9), ("presence_penalty", 1)), stop=("<end>",))


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ({}, {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 1, "stop": ["<end>"]}),
        ({"temperature": 0}, {"presence_penalty": 1, "stop": ["<end>"]}),
        ({"top_k": 1}, {"presence_penalty": 1, "stop": ["<end>"]}),
        ({"top_p": None, "stop": None}, {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 1, "stop": ["<end>"]}),
        ({"presence_penalty": 0, "stop": "x"}, {"temperature": 0.5, "top_p": 0.9}),
        ({"min_p": 0.1, "presence_penalty": 0, "stop": ["x"]}, {}),
    ],
)
def test_defaults_fill_what_the_client_left_open(given: dict[str, Any], added: dict[str, Any]) -> None:
    body: dict[str, Any] = {"model": "m", "n": 1} | given
    before = dict(body)
    assert with_defaults(body, WARM) == body | added
    assert body == before


@given(st.dictionaries(st.sampled_from(["temperature", "top_p", "top_k", "min_p", "stop", "n"]), st.integers(1, 3)))
def test_what_the_client_sent_is_never_changed(body: dict[str, Any]) -> None:
    for model in ("qwen3:8b", "gemma-3", "gpt-4o"):
        assert with_defaults(body, BUILT_INS.of(model)).items() >= body.items()
    assert with_defaults(body, Profile()) == body


@pytest.mark.parametrize(
    ("stop", "may"),
    [((), False), (("<|im_end|>", "[/INST]"), False), (("<a>", "\nObservation:"), True), (("<a b>",), True)],
)
def test_text_as_a_stop_sequence_may_cut_a_statement_and_a_marker_may_not(stop: tuple[str, ...], may: bool) -> None:
    assert Profile(stop=stop).stop_may_cut is may


def test_the_document_has_every_key_as_the_code_has_it() -> None:
    document = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    assert document == with_current_keys(document), "run: python -m emulator.profiles.document docs/profiles.md"


def test_the_documents_example_can_be_used(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    example = document.partition("```toml\n")[2].partition("```")[0]
    mine = profiles(tmp_path, acme=example)
    assert mine.of("acme-chat-reasoning").opens_thought
    assert mine.of("acme-chat").style.stubs == "system"


def test_a_document_without_its_place_for_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="lacks the markers"):
        with_current_keys("# Profiles\n")
