"""Calls as JSON, whole and broken, and in the words of agents' prompts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

from tests.styles.cases import Call, Case, Json, Write, styles
from tests.styles.tags import CallText, arguments_of, as_object, named, wrapped
from tests.styles.writing import as_json, compact, fence, fill, plain, pretty, sentences, several, single


def _one(make: Callable[[Call], Json], dump: Callable[[Json], str] = as_json) -> Write:
    """The object of the only call."""
    return wrapped(lambda call: dump(make(call)), most=1)


def _lines(make: Callable[[Call], Json], joint: str = "\n") -> Write:
    return wrapped(lambda call: as_json(make(call)), between=joint)


def _list(make: Callable[[Call], Json], dump: Callable[[Json], str] = as_json) -> Write:
    return lambda case, rng: dump([make(call) for call in case.calls]) if case.calls else None


def _whole(make: Callable[[list[Call]], Json], dump: Callable[[Json], str] = as_json) -> Write:
    return lambda case, rng: dump(make(list(case.calls))) if case.calls else None


def _fenced(write: Write, language: str = "json") -> Write:
    def written(case: Case, rng: Random) -> str | None:
        text = write(case, rng)
        return None if text is None else fence(text, language)

    return written


def _said(write: Write, template: str) -> Write:
    """``INNER`` is what is written, ``BEFORE`` a sentence."""

    def written(case: Case, rng: Random) -> str | None:
        text = write(case, rng)
        return None if text is None else fill(template, {"INNER": text, **sentences(rng)})

    return written


def _parameters(call: Call) -> Json:
    return named(call, "parameters")


def _openai(call: Call, number: int = 1) -> Json:
    function = {"name": call.name, "arguments": arguments_of(call)}
    return {"id": f"call_{number:08x}", "type": "function", "function": function}


def _openai_calls(calls: list[Call]) -> Json:
    return {"tool_calls": [_openai(call, number) for number, call in enumerate(calls, 1)]}


def _openai_message(calls: list[Call]) -> Json:
    return {"role": "assistant", "content": None, **_openai_calls(calls)}


def _parallel(calls: list[Call]) -> Json:
    uses = [{"recipient_name": f"functions.{call.name}", "parameters": dict(call.arguments)} for call in calls]
    return {"tool_uses": uses}


_KEYS: dict[str, Callable[[Call], Json]] = {
    "name_arguments": named,
    "name_parameters": _parameters,
    "name_args": lambda call: named(call, "args"),
    "name_input": lambda call: named(call, "input"),
    "name_params": lambda call: named(call, "params"),
    "function_arguments": lambda call: named(call, "arguments", "function"),
    "function_parameters": lambda call: named(call, "parameters", "function"),
    "function_args": lambda call: named(call, "args", "function"),
    "function_name": lambda call: named(call, "arguments", "function_name"),
    "function_name_args": lambda call: named(call, "function_args", "function_name"),
    "tool_args": lambda call: named(call, "args", "tool"),
    "tool_arguments": lambda call: named(call, "arguments", "tool"),
    "tool_input": lambda call: named(call, "tool_input", "tool"),
    "tool_parameters": lambda call: named(call, "parameters", "tool"),
    "tool_name": lambda call: named(call, "parameters", "tool_name"),
    "tool_name_input": lambda call: named(call, "tool_input", "tool_name"),
    "tool_name_arguments": lambda call: named(call, "tool_arguments", "tool_name"),
    "action": lambda call: named(call, "action_input", "action"),
    "action_parameters": lambda call: named(call, "parameters", "action"),
    "recipient": lambda call: {"recipient_name": f"functions.{call.name}", "parameters": dict(call.arguments)},
    "function_nested": lambda call: {"function": named(call)},
    "type_function": lambda call: {"type": "function", **_parameters(call)},
    "type_function_nested": lambda call: {"type": "function", "function": named(call)},
    "type_tool_use": lambda call: {"type": "tool_use", "id": "toolu_01A", **named(call, "input")},
    "function_call": lambda call: {"function_call": named(call)},
    "function_call_text": lambda call: {"function_call": {"name": call.name, "arguments": arguments_of(call)}},
    "function_call_camel": lambda call: {"functionCall": named(call, "args")},
    "tool_call": lambda call: {"tool_call": named(call)},
    "arguments_text": lambda call: {"name": call.name, "arguments": arguments_of(call)},
    "name_as_key": lambda call: {call.name: dict(call.arguments)},
    "arguments_first": lambda call: {"arguments": dict(call.arguments), "name": call.name},
    "thought_beside": lambda call: {"thought": "The function fits.", **named(call)},
    "openai": lambda call: _openai_calls([call]),
    "openai_message": lambda call: _openai_message([call]),
}

_SHAPES: dict[str, Write] = {
    "compact": _one(named, compact),
    "pretty": _one(named, pretty),
    "pretty_tabs": _one(named, lambda value: json.dumps(value, ensure_ascii=False, indent="\t")),
    "ascii": _one(named, json.dumps),
    "lines": _lines(named),
    "lines_parameters": _lines(_parameters),
    "semicolons": _lines(_parameters, "; "),
    "blank_lines": _lines(named, "\n\n"),
    "commas": _lines(named, ", "),
    "adjacent": _lines(named, ""),
    "list": _list(named),
    "list_pretty": _list(named, pretty),
    "list_parameters": _list(_parameters),
    "list_openai": _list(_openai),
    "list_name_as_key": _list(lambda call: {call.name: dict(call.arguments)}),
    "openai_calls": _whole(_openai_calls, pretty),
    "openai_message_pretty": _whole(_openai_message, pretty),
    "calls": _whole(lambda calls: {"calls": [named(call) for call in calls]}),
    "tool_calls": _whole(lambda calls: {"tool_calls": [named(call) for call in calls]}),
    "tool_calls_thought": _whole(lambda calls: {"thought": "", "tool_calls": [named(call) for call in calls]}),
    "function_calls": _whole(lambda calls: {"function_calls": [named(call) for call in calls]}),
    "parallel": _whole(_parallel),
    "parallel_named": _whole(lambda calls: {"name": "multi_tool_use.parallel", "arguments": _parallel(calls)}),
}

_FRAMED: dict[str, Write] = {
    "fence": _fenced(_one(named)),
    "fence_pretty": _fenced(_one(named, pretty)),
    "fence_parameters": _fenced(_one(_parameters, pretty)),
    "fence_lines": _fenced(_lines(named)),
    "fence_list": _fenced(_list(named, pretty)),
    "fence_no_language": _fenced(_one(named, pretty), ""),
    "fence_list_no_language": _fenced(_list(named), ""),
    "fence_python": _fenced(_one(named, pretty), "python"),
    "fence_python_list": _fenced(_list(named, single), "python"),
    "fence_tool_call": _fenced(_one(named), "tool_call"),
    "fence_tool_code": _fenced(_one(named), "tool_code"),
    "fence_capitals": _fenced(_one(named, pretty), "JSON"),
    "fence_json5": _fenced(_one(named), "json5"),
    "fence_openai": _fenced(_whole(_openai_calls, pretty)),
    "fence_behind_words": _said(_fenced(_one(named, pretty)), "BEFORE\n\nINNER"),
    "fence_between_words": _said(
        _fenced(_one(_parameters, pretty)), "BEFORE\n\nINNER\n\nThis calls the function with your values."
    ),
    "fence_list_between_words": _said(_fenced(_list(named)), "BEFORE\n\nINNER\n\nThat is all that is needed."),
    "fence_unclosed": _said(_list(named, pretty), "```json\nINNER"),
    "fence_thought": _said(_fenced(_one(named, pretty)), "<think>\nI call the function.\n</think>\n\nINNER"),
    "fence_action": _said(_fenced(_one(lambda call: named(call, "action_input", "action"), pretty)), "Action:\nINNER"),
    "fence_action_thought": _said(
        _fenced(_one(lambda call: named(call, "action_input", "action"), pretty), ""),
        "Thought: I need to use the tool.\nAction:\nINNER\nObservation: it worked",
    ),
    "fence_each": wrapped(lambda call: fence(pretty(named(call)), "json"), between="\n\n"),
    "bare_behind_words": _said(_one(named), "BEFORE\n\nINNER"),
    "bare_between_words": _said(_one(named), "BEFORE\nINNER\nI'll report the result."),
    "bare_list_behind_words": _said(_list(named), "BEFORE\n\nINNER"),
    "bare_thought": _said(_list(named), "<think>\nI call the function.\n</think>\n\nINNER"),
    "bare_end": _said(_one(_parameters), "INNER<|eot_id|>"),
    "bare_start": _said(_one(_parameters), "<|start_header_id|>assistant<|end_header_id|>\n\nINNER"),
    "bare_label": _said(_one(named), "Function call: INNER"),
    "bare_tool_label": _said(_one(named), "Tool call:\nINNER"),
    "bare_inline": _said(_one(named), "`INNER`"),
    "bare_answer_tag": _said(_list(named), "<answer>\nINNER\n</answer>"),
}


def _unquoted_keys(call: Call) -> str:
    return re.sub(r'"(name|arguments)":', r"\1:", as_object(call), count=2)


def _broken(break_it: Callable[[str], str], make: CallText = as_object, *, fenced: bool = False) -> Write:
    """The only call's object, if ``break_it`` breaks it."""

    def written(case: Case, rng: Random) -> str | None:
        whole = make(case.only) if case.only else ""
        broken = break_it(whole) if whole else ""
        return broken if broken != whole else None

    return _fenced(written) if fenced else written


def _pretty_object(call: Call) -> str:
    return pretty(named(call))


def _commented(text: str) -> str:
    first, rest = text.split("\n", 1)
    return f"{first}\n  // the function to call\n{rest}"


def _trailing_commas(text: str) -> str:
    return re.sub(r'(["\w\]}])\n(\s*[}\]])', r"\1,\n\2", text)


_BROKEN: dict[str, Write] = {
    "single_quotes": wrapped(lambda call: single(named(call)), most=1),
    "single_quotes_list": lambda case, rng: single([named(call) for call in case.calls]) if case.calls else None,
    "single_quotes_fence": _fenced(wrapped(lambda call: single(named(call)), most=1)),
    "unquoted_keys": wrapped(_unquoted_keys, most=1),
    "trailing_comma": _broken(lambda text: text[:-1] + ",}"),
    "trailing_commas": _broken(_trailing_commas, _pretty_object, fenced=True),
    "trailing_comma_list": wrapped(as_object, "[", ", ", ",]"),
    "missing_brace": _broken(lambda text: text[:-1]),
    "missing_braces": _broken(lambda text: text.rstrip("}"), fenced=True),
    "missing_bracket": wrapped(as_object, "[", ", "),
    "extra_brace": _broken(lambda text: text + "}"),
    "extra_bracket": wrapped(as_object, "[", ", ", "]]"),
    "double_braces": _broken(lambda text: "{" + text + "}"),
    "comment": _broken(_commented, _pretty_object, fenced=True),
    "hash_comment": _broken(lambda text: text.replace("{\n", "{  # call\n", 1), _pretty_object, fenced=True),
    "python_words": _broken(
        lambda text: text.replace(": true", ": True").replace(": false", ": False").replace(": null", ": None")
    ),
    "smart_quotes": _broken(lambda text: text if "\\" in text else re.sub(r'"([^"]*)"', r"“\1”", text)),
    "missing_comma": _broken(lambda text: text.replace('",\n  "arguments"', '"\n  "arguments"'), _pretty_object),
    "escaped": _broken(lambda text: text.replace('"', '\\"')),
    "semicolon": _broken(lambda text: text + ";"),
    "list_unseparated": several(wrapped(as_object, "[", "\n", "]")),
}


def _react(template: str) -> Write:
    """``NAME`` and ``ARGUMENTS`` of the only call."""
    return wrapped(lambda call: fill(template, {"NAME": call.name, "ARGUMENTS": arguments_of(call)}), most=1)


_AGENTS: dict[str, Write] = {
    "react": _react("Thought: I need to look this up.\nAction: NAME\nAction Input: ARGUMENTS"),
    "react_bare": _react("Action: NAME\nAction Input: ARGUMENTS"),
    "react_question": _react(
        "Question: what the user asked\nThought: I use the tool.\nAction: NAME\nAction Input: ARGUMENTS"
    ),
    "react_observation": _react(
        "Thought: I need to look this up.\nAction: NAME\nAction Input: ARGUMENTS\nObservation: 42\n"
        "Thought: I now know the final answer.\nFinal Answer: 42"
    ),
    "react_pretty": wrapped(
        lambda call: f"Thought: I use the tool.\nAction: {call.name}\nAction Input:\n{pretty(dict(call.arguments))}",
        most=1,
    ),
    "react_fence": wrapped(
        lambda call: f"Action: {call.name}\nAction Input:\n```json\n{pretty(dict(call.arguments))}\n```", most=1
    ),
    "react_bold": _react("**Thought:** I use the tool.\n**Action:** NAME\n**Action Input:** ARGUMENTS"),
    "react_backticks": _react("Action: `NAME`\nAction Input: `ARGUMENTS`"),
    "react_brackets": _react("Thought: I use the tool.\nAction: [NAME]\nAction Input: ARGUMENTS"),
    "react_call": wrapped(lambda call: f"Thought: I use the tool.\nAction: {plain(call)}\nPAUSE", most=1),
    "react_several": wrapped(
        lambda call: f"Thought: I use the tool.\nAction: {call.name}\nAction Input: {arguments_of(call)}",
        between="\n\n",
    ),
    "react_end": _react("Thought: I use the tool.\nAction: NAME\nAction Input: ARGUMENTS<|im_end|>"),
    "glm4": _react("NAME\nARGUMENTS"),
    "name_and_json": _react("NAME(ARGUMENTS)"),
    "function_arguments_lines": _react("Function: NAME\nArguments: ARGUMENTS"),
    "tool_input_lines": _react("Tool: NAME\nInput: ARGUMENTS"),
    "tool_call_json": _react("Tool: NAME\nTool Input: ARGUMENTS"),
    "pythonic": wrapped(plain, "[", ", ", "]"),
    "pythonic_spaced": wrapped(plain, "[ ", " , ", " ]"),
    "pythonic_end": wrapped(plain, "[", ", ", "]<|eot|>"),
    "pythonic_behind_thought": wrapped(plain, "<think>\nI call it.\n</think>\n[", ", ", "]"),
    "gemini_tool_code": wrapped(lambda call: f"print(default_api.{plain(call)})", "```tool_code\n", "\n", "\n```"),
}

STYLES = (
    *styles("json", {f"keys_{name}": _one(make) for name, make in _KEYS.items()}),
    *styles("json", {f"fenced_{name}": _fenced(_one(make, pretty)) for name, make in _KEYS.items()}),
    *styles("json", _SHAPES),
    *styles("json", _FRAMED),
    *styles("broken_json", _BROKEN),
    *styles("agents", _AGENTS),
)
