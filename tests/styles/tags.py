"""Calls between tags and special tokens, as models were trained to write them for their own servers.

The formats are those of the chat templates on the model hub and of the tool parsers of vLLM, SGLang and llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import cast

from tests.styles.cases import Call, Case, Json, Write, styles
from tests.styles.writing import as_json, compact, fill, keywords, plain, pretty, single

CallText = Callable[[Call], str]


def wrapped(call: CallText, before: str = "", between: str = "\n", after: str = "", *, most: int = 99) -> Write:
    """All calls, each written so; ``most``: formats that have room for no more calls."""

    def written(case: Case, rng: Random) -> str | None:
        if not 0 < len(case.calls) <= most:
            return None
        return before + between.join(map(call, case.calls)) + after

    return written


def named(call: Call, arguments: str = "arguments", name: str = "name") -> Json:
    return {name: call.name, arguments: dict(call.arguments)}


def as_object(call: Call) -> str:
    return as_json(named(call))


def arguments_of(call: Call) -> str:
    return as_json(dict(call.arguments))


def text_of(value: Json) -> str:
    """A value between XML tags: a text is itself."""
    return value if isinstance(value, str) else as_json(value)


def _python_text_of(value: Json) -> str:
    return value if isinstance(value, str) else single(value)


def _escaped(value: Json) -> str:
    return text_of(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(write: Write) -> Write:
    """Only where the schemas tell texts from other values, which nothing between the tags does."""

    def written(case: Case, rng: Random) -> str | None:
        known = all(
            isinstance(value, str) or "type" in call.schema_of(key)
            for call in case.calls
            for key, value in call.keywords.items()
        )
        return write(case, rng) if known else None

    return written


def _tagged(template: str, text: Callable[[Json], str] = text_of, joint: str = "\n") -> CallText:
    """One argument in the template: ``KEY``, ``VALUE``."""

    def written(call: Call) -> str:
        parts = (fill(template, {"KEY": key, "VALUE": text(value)}) for key, value in call.arguments.items())
        return joint.join(parts)

    return written


def _around(template: str, inner: CallText) -> CallText:
    """``NAME`` of the function, and ``INNER`` what ``inner`` makes of its arguments."""
    return lambda call: fill(template, {"NAME": call.name, "INNER": inner(call)})


def _parameters(call: Call) -> str:
    return as_json(named(call, "parameters"))


_PARAMETER = _tagged("<parameter=KEY>\nVALUE\n</parameter>")
_FUNCTION = "<function=NAME>\nINNER\n</function>"
_QWEN = _around(f"<tool_call>\n{_FUNCTION}\n</tool_call>", _PARAMETER)
_INVOKE = '<invoke name="NAME">\nINNER\n</invoke>'
_INVOKED = _around(_INVOKE, _tagged('<parameter name="KEY">VALUE</parameter>'))

_INVOKE_ESCAPED = wrapped(
    _around(_INVOKE, _tagged('<parameter name="KEY">VALUE</parameter>', _escaped)),
    "<function_calls>\n",
    after="\n</function_calls>",
)


def _dsml(call: Call) -> str:
    """Says of each value whether it is a text."""
    parts = (
        f'<｜DSML｜parameter name="{key}" string="{str(isinstance(value, str)).lower()}">{text_of(value)}</｜DSML｜parameter>'
        for key, value in call.arguments.items()
    )
    return f'<｜DSML｜invoke name="{call.name}">\n' + "\n".join(parts) + "\n</｜DSML｜invoke>"


_XML: dict[str, Write] = {
    "qwen_coder": wrapped(_QWEN),
    "qwen_coder_behind_words": wrapped(_QWEN, "I'll call the function now.\n\n"),
    "qwen_coder_inline": wrapped(
        _around(
            "<tool_call><function=NAME>INNER</function></tool_call>",
            _tagged("<parameter=KEY>VALUE</parameter>", joint=""),
        )
    ),
    "qwen_coder_unopened": wrapped(_around(f"{_FUNCTION}\n</tool_call>", _PARAMETER), most=1),
    "qwen_coder_unclosed": wrapped(_around(f"<tool_call>\n{_FUNCTION}", _PARAMETER), most=1),
    "qwen_coder_bare": wrapped(_around(_FUNCTION, _PARAMETER)),
    "qwen_coder_python_values": wrapped(
        _around(
            f"<tool_call>\n{_FUNCTION}\n</tool_call>", _tagged("<parameter=KEY>\nVALUE\n</parameter>", _python_text_of)
        )
    ),
    "qwen_coder_one_frame": wrapped(_around(_FUNCTION, _PARAMETER), "<tool_call>\n", after="\n</tool_call>"),
    "seed": wrapped(
        _around(f"<seed:tool_call>\n{_FUNCTION}\n</seed:tool_call>", _tagged("<parameter=KEY>VALUE</parameter>"))
    ),
    "glm": wrapped(
        _around(
            "<tool_call>NAME\nINNER\n</tool_call>",
            _tagged("<arg_key>KEY</arg_key>\n<arg_value>VALUE</arg_value>"),
        )
    ),
    "glm_inline": wrapped(
        _around(
            "<tool_call>NAMEINNER</tool_call>",
            _tagged("<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>", joint=""),
        )
    ),
    "invoke": wrapped(_INVOKED, "<function_calls>\n", after="\n</function_calls>"),
    "invoke_behind_words": wrapped(_INVOKED, "I'll use the tool.\n\n<function_calls>\n", after="\n</function_calls>"),
    "invoke_bare": wrapped(_INVOKED),
    "invoke_escaped": lambda case, rng: (
        _INVOKE_ESCAPED(case, rng) if any(set("&<>") & set(as_object(call)) for call in case.calls) else None
    ),
    "invoke_old": wrapped(
        _around(
            "<invoke>\n<tool_name>NAME</tool_name>\n<parameters>\nINNER\n</parameters>\n</invoke>",
            _tagged("<KEY>VALUE</KEY>"),
        ),
        "<function_calls>\n",
        after="\n</function_calls>",
    ),
    "minimax_m2": wrapped(_INVOKED, "<minimax:tool_call>\n", after="\n</minimax:tool_call>"),
    "deepseek_v32": wrapped(_dsml, "<｜DSML｜function_calls>\n", after="\n</｜DSML｜function_calls>"),
    "step3": wrapped(
        _around(
            '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="NAME">INNER</steptml:invoke><｜tool_call_end｜>',
            _tagged('<steptml:parameter name="KEY">VALUE</steptml:parameter>', joint=""),
        ),
        "<｜tool_calls_begin｜>\n",
        after="\n<｜tool_calls_end｜>",
    ),
    "tool_use": wrapped(
        _around("<tool_use>\n<name>NAME</name>\n<input>INNER</input>\n</tool_use>", arguments_of),
    ),
    "tool_use_arguments": wrapped(
        _around("<tool_use>\n  <name>NAME</name>\n  <arguments>INNER</arguments>\n</tool_use>", arguments_of),
    ),
    "name_as_tag": wrapped(_around("<NAME>\nINNER\n</NAME>", _tagged("<KEY>VALUE</KEY>"))),
    "tool_attribute": wrapped(_around('<tool_call name="NAME">INNER</tool_call>', arguments_of)),
    "function_attribute": wrapped(
        _around('<function name="NAME">\nINNER\n</function>', _tagged('<param name="KEY">VALUE</param>'))
    ),
    "tool_call_elements": wrapped(
        _around("<tool_call>\n<name>NAME</name>\n<arguments>INNER</arguments>\n</tool_call>", arguments_of)
    ),
}


_TOOL_CALL = "<tool_call>\nINNER\n</tool_call>"


def _hermes(inner: CallText, template: str = _TOOL_CALL) -> Write:
    return wrapped(_around(template, inner))


def _listed(template: str, call: CallText = as_object, joint: str = ", ") -> Write:
    """One frame for all: ``INNER`` are the objects with commas between."""
    before, after = template.split("INNER")
    return wrapped(call, before, joint, after)


_HERMES: dict[str, Write] = {
    "hermes": _hermes(as_object),
    "hermes_behind_words": wrapped(_around(_TOOL_CALL, as_object), "Sure, I'll call the function.\n"),
    "hermes_before_words": wrapped(_around(_TOOL_CALL, as_object), after="\nI'll tell you what comes of it."),
    "hermes_inline": _hermes(as_object, "<tool_call>INNER</tool_call>"),
    "hermes_adjacent": wrapped(_around("<tool_call>INNER</tool_call>", as_object), between=""),
    "hermes_pretty": _hermes(lambda call: pretty(named(call))),
    "hermes_arguments_first": _hermes(lambda call: as_json({"arguments": dict(call.arguments), "name": call.name})),
    "hermes_parameters": _hermes(_parameters),
    "hermes_arguments_text": _hermes(lambda call: as_json({"name": call.name, "arguments": arguments_of(call)})),
    "hermes_python_dict": _hermes(lambda call: single(named(call))),
    "hermes_trailing_comma": _hermes(lambda call: as_object(call)[:-1] + ",}"),
    "hermes_missing_brace": _hermes(lambda call: as_object(call)[:-1]),
    "hermes_extra_brace": _hermes(lambda call: as_object(call) + "}"),
    "hermes_double_braces": _hermes(lambda call: "{" + as_object(call) + "}"),
    "hermes_unclosed": wrapped(as_object, "<tool_call>\n", most=1),
    "hermes_unclosed_between": wrapped(lambda call: "<tool_call>\n" + as_object(call)),
    "hermes_closed_by_opening": wrapped(_around("<tool_call>\nINNER\n<tool_call>", as_object), most=1),
    "hermes_in_fence": wrapped(_around(_TOOL_CALL, as_object), "```xml\n", after="\n```"),
    "hermes_in_json_fence": wrapped(_around(_TOOL_CALL, as_object), "```json\n", after="\n```"),
    "hermes_fence_inside": _hermes(lambda call: f"```json\n{as_object(call)}\n```"),
    "hermes_list": _listed("<tool_call>\n[INNER]\n</tool_call>"),
    "hermes_list_inline": _listed("<tool_call>[INNER]</tool_call>"),
    "hermes_several_in_one": _listed("<tool_call>\nINNER\n</tool_call>", joint="\n"),
    "hermes_thought": wrapped(
        _around(_TOOL_CALL, as_object), "<think>\nThe user wants this, so I call the function.\n</think>\n\n"
    ),
    "hermes_thought_decoy": wrapped(
        _around(_TOOL_CALL, as_object),
        '<think>\nMaybe <tool_call>\n{"name": "none", "arguments": {}}\n</tool_call>? No.\n</think>\n\n',
    ),
    "hermes_empty_thought": wrapped(_around(_TOOL_CALL, as_object), "<think>\n\n</think>\n\n"),
    "hermes_end": wrapped(_around(_TOOL_CALL, as_object), after="<|im_end|>"),
    "hermes_response": wrapped(
        _around(_TOOL_CALL, as_object), after='\n<tool_response>\n{"result": 42}\n</tool_response>\nThe result is 42.'
    ),
    "hermes_scratch_pad": wrapped(
        _around(_TOOL_CALL, as_object), "<scratch_pad>\nGoal: do what the user asked.\n</scratch_pad>\n"
    ),
    "hermes_python": _hermes(plain),
    "hermes_type": _hermes(lambda call: as_json({"type": "function", **named(call)})),
    "hermes_id": _hermes(lambda call: as_json({"id": 0, **named(call)})),
    "function_call_tag": _hermes(as_object, "<function_call>\nINNER\n</function_call>"),
    "functioncall_tag": _hermes(as_object, "<functioncall> INNER </functioncall>"),
    "functioncall_glaive": wrapped(
        lambda call: f'<functioncall> {{"name": "{call.name}", "arguments": \'{arguments_of(call)}\'}} <|endoftext|>',
        most=1,
    ),
    "tool_calls_lines": _listed("<tool_calls>\nINNER\n</tool_calls>", joint="\n"),
    "tool_calls_list": _listed("<tool_calls>\n[INNER]\n</tool_calls>"),
    "toolcall_capitals": _listed("<TOOLCALL>[INNER]</TOOLCALL>"),
    "longcat": _hermes(as_object, "<longcat_tool_call>\nINNER\n</longcat_tool_call>"),
    "tools_tag": _hermes(as_object, "<tools>\nINNER\n</tools>"),
    "json_tag": _hermes(as_object, "<json>\nINNER\n</json>"),
}


def _gemma_value(value: Json, mark: str) -> str:
    if isinstance(value, str):
        return f"{mark}{value}{mark}"
    if isinstance(value, list):
        return "[" + ",".join(_gemma_value(item, mark) for item in cast(list[Json], value)) + "]"
    if isinstance(value, dict):
        pairs = cast(dict[str, Json], value).items()
        return "{" + ",".join(f"{key}:{_gemma_value(item, mark)}" for key, item in pairs) + "}"
    return as_json(value)


def _gemma(mark: str) -> CallText:
    return lambda call: f"call:{call.name}{_gemma_value(dict(call.arguments), mark)}"


def _deepseek_v3(call: Call) -> str:
    return (
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{call.name}\n```json\n{arguments_of(call)}\n```<｜tool▁call▁end｜>"
    )


def _deepseek_v31(call: Call) -> str:
    return f"<｜tool▁call▁begin｜>{call.name}<｜tool▁sep｜>{arguments_of(call)}<｜tool▁call▁end｜>"


_DEEPSEEK = ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>")


def _kimi(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    start = rng.choice([0, 0, 0, 3])
    calls = "".join(
        f"<|tool_call_begin|>functions.{call.name}:{number}<|tool_call_argument_begin|>{arguments_of(call)}<|tool_call_end|>"
        for number, call in enumerate(case.calls, start)
    )
    return f"<|tool_calls_section_begin|>{calls}<|tool_calls_section_end|>"


def _command_r(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    made = [{"tool_name": call.name, "parameters": dict(call.arguments)} for call in case.calls]
    return f"Action: ```json\n{pretty(made)}\n```"


def _command_a(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    made = [
        {"tool_call_id": str(number), "tool_name": call.name, "parameters": dict(call.arguments)}
        for number, call in enumerate(case.calls)
    ]
    thought = "<|START_THINKING|>I will call the function.<|END_THINKING|>" if rng.random() < 0.5 else ""
    return f"{thought}<|START_ACTION|>[\n    {', '.join(chr(10) + '    ' + as_json(one) for one in made).strip()}\n]<|END_ACTION|>"


_TOKENS: dict[str, Write] = {
    "llama_python_tag": wrapped(_parameters, "<|python_tag|>", "; "),
    "llama_python_tag_end": wrapped(_parameters, "<|python_tag|>", "; ", "<|eom_id|>"),
    "llama_function": wrapped(_around("<function=NAME>INNER</function>", arguments_of)),
    "llama_function_end": wrapped(_around("<function=NAME>INNER</function>", arguments_of), after="<|eom_id|>"),
    "llama4_brackets": wrapped(plain, "<|python_start|>[", ", ", "]<|python_end|>"),
    "mistral_list": wrapped(as_object, "[TOOL_CALLS] [", ", ", "]"),
    "mistral_list_tight": wrapped(lambda call: compact(named(call)), "[TOOL_CALLS][", ",", "]</s>"),
    "mistral_list_behind_words": wrapped(as_object, "I'll look that up.\n[TOOL_CALLS] [", ", ", "]"),
    "mistral_one": wrapped(as_object, "[TOOL_CALLS]", most=1),
    "mistral_arguments": wrapped(_around("[TOOL_CALLS]NAME[ARGS]INNER", arguments_of), between=""),
    "mistral_call_id": wrapped(_around("[TOOL_CALLS]NAME[CALL_ID]vAHeTgM4k[ARGS]INNER", arguments_of), between=""),
    "mistral_name": wrapped(_around("[TOOL_CALLS]NAMEINNER", arguments_of), between=""),
    "mistral_token_lost": wrapped(_around("NAME[ARGS]INNER", arguments_of), between="", most=1),
    "deepseek_v3": wrapped(_deepseek_v3, _DEEPSEEK[0], "\n", _DEEPSEEK[1]),
    "deepseek_v3_words": wrapped(
        _deepseek_v3, "I will call it." + _DEEPSEEK[0], "\n", _DEEPSEEK[1] + "<｜end▁of▁sentence｜>"
    ),
    "deepseek_v31": wrapped(_deepseek_v31, _DEEPSEEK[0], "", _DEEPSEEK[1]),
    "deepseek_ascii": wrapped(
        lambda call: (
            f"<|tool▁call▁begin|>function<|tool▁sep|>{call.name}\n```json\n{arguments_of(call)}\n```<|tool▁call▁end|>"
        ),
        "<|tool▁calls▁begin|>",
        "\n",
        "<|tool▁calls▁end|>",
    ),
    "kimi": _kimi,
    "internlm": wrapped(_parameters, "<|action_start|><|plugin|>\n", after="<|action_end|>\n", most=1),
    "internlm_several": wrapped(_around("<|action_start|><|plugin|>\nINNER<|action_end|>", _parameters)),
    "granite": wrapped(as_object, "<|tool_call|>[", ", ", "]"),
    "granite_tag": wrapped(as_object, "<tool_call>[", ", ", "]"),
    "granite_function_call": wrapped(lambda call: f"<function_call> {as_object(call)}"),
    "phi4": wrapped(as_object, "<|tool_call|>[", ", ", "]<|/tool_call|>"),
    "functools": wrapped(as_object, "functools[", ", ", "]"),
    "command_r": _command_r,
    "command_a": _command_a,
    "functionary_v3": wrapped(lambda call: f">>>{call.name}\n{arguments_of(call)}", between=""),
    "functionary_v3_words": wrapped(
        lambda call: f">>>{call.name}\n{arguments_of(call)}", ">>>all\nI'll look that up.\n", ""
    ),
    "functionary_v2": wrapped(
        lambda call: f"<|from|>assistant\n<|recipient|>{call.name}\n<|content|>{arguments_of(call)}<|stop|>"
    ),
    "apertus": wrapped(
        lambda call: as_json({call.name: dict(call.arguments)}), "<|tools_prefix|>[", ", ", "]<|tools_suffix|>"
    ),
    "lfm2": wrapped(plain, "<|tool_call_start|>[", ", ", "]<|tool_call_end|>"),
    "lfm2_json": wrapped(as_object, "<|tool_call_start|>[", ", ", "]<|tool_call_end|>"),
    "olmo3": wrapped(plain, "<function_calls>\n", after="\n</function_calls>"),
    "gemma_function": wrapped(_around("<start_function_call>INNER<end_function_call>", _gemma("<escape>")), between=""),
    "gemma4": wrapped(_around("<|tool_call>INNER<tool_call|>", _gemma('<|"|>')), between=""),
    "gigachat": wrapped(lambda call: f"function call<|role_sep|>\n{as_object(call)}", most=1),
    "gorilla": wrapped(lambda call: f"<<function>>{call.name}({keywords(call, single)})"),
    "raven": wrapped(lambda call: f"{call.function}({keywords(call, single)})", "Call: ", "; ", "<bot_end>"),
    "raven_thought": wrapped(
        lambda call: f"{call.function}({keywords(call, single)})",
        "Call: ",
        "; ",
        "<bot_end> \nThought: The function fits the user's request.",
    ),
    "qwen_agent": wrapped(lambda call: f"✿FUNCTION✿: {call.name}\n✿ARGS✿: {arguments_of(call)}", after="\n✿RESULT✿"),
    "tool_request": wrapped(_around("[TOOL_REQUEST]\nINNER\n[END_TOOL_REQUEST]", as_object)),
}

STYLES = (
    *styles("xml", {name: typed(write) for name, write in _XML.items()}),
    *styles("tags", _HERMES),
    *styles("tokenised", _TOKENS),
)
