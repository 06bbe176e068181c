"""The special tokens of chat templates that servers let through, and gpt-oss's channels."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.styles.around import decoy
from tests.styles.cases import Call, Case, Write, styles
from tests.styles.writing import around, as_json, code_of, fence

_ENDS = {
    "im_end": "<|im_end|>",
    "eot_id": "<|eot_id|>",
    "eom_id": "<|eom_id|>",
    "end": "<|end|>",
    "eos": "</s>",
    "eos_gemma": "<eos>",
    "end_of_turn": "<end_of_turn>",
    "endoftext": "<|endoftext|>",
    "end_of_text": "<|end_of_text|>",
    "return": "<|return|>",
    "call": "<|call|>",
    "eot": "<|EOT|>",
    "deepseek": "<｜end▁of▁sentence｜>",
    "cohere": "<|END_OF_TURN_TOKEN|>",
    "inst": "[/INST]",
}

_STARTS = {
    "im_start": "<|im_start|>assistant\n",
    "header": "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "assistant": "<|assistant|>\n",
    "assistant_end_of_line": "<|assistant|>",
    "turn": "<start_of_turn>model\n",
    "role": "<|start_of_role|>assistant<|end_of_role|>",
    "bos": "<s>",
    "colon": "Assistant: ",
    "word": "assistant\n\n",
    "deepseek": "<｜Assistant｜>",
    "python_tag": "<|python_tag|>",
}


def _analysis(text: str) -> str:
    return f"<|channel|>analysis<|message|>{text}<|end|><|start|>assistant"


def _commentary(call: Call) -> str:
    head = f"<|channel|>commentary to=functions.{call.name} <|constrain|>json<|message|>"
    return f"{head}{as_json(dict(call.arguments))}<|call|>"


_NEED = "We need to call the function with the values that the user gave."


def _harmony(write: Callable[[Call], str], before: str = "", between: str = "<|start|>assistant") -> Write:
    """A message for each call."""

    def written(case: Case, rng: Random) -> str | None:
        return before + between.join(write(call) for call in case.calls) if case.calls else None

    return written


def _harmony_decoy(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    thought = f"Maybe {decoy(case.calls[0])}? Or:\n```python\n{decoy(case.calls[0])}\n```\nNo."
    return _analysis(thought) + "<|start|>assistant".join(map(_commentary, case.calls))


def _recipient_in_role(call: Call) -> str:
    return f" to=functions.{call.name}<|channel|>commentary json<|message|>{as_json(dict(call.arguments))}<|call|>"


def _code_constraint(call: Call) -> str:
    return f"<|channel|>commentary to=functions.{call.name} code<|message|>{as_json(dict(call.arguments))}<|call|>"


def _analysis_recipient(call: Call) -> str:
    return f"<|channel|>analysis to=functions.{call.name} code<|message|>{as_json(dict(call.arguments))}<|call|>"


def _stripped(call: Call) -> str:
    return f"commentary to=functions.{call.name} json{as_json(dict(call.arguments))}"


_HARMONY: dict[str, Write] = {
    "harmony": _harmony(_commentary),
    "harmony_analysis": _harmony(_commentary, _analysis(_NEED)),
    "harmony_decoy": _harmony_decoy,
    "harmony_preamble": _harmony(
        _commentary, "<|channel|>commentary<|message|>I'll look that up.<|end|><|start|>assistant"
    ),
    "harmony_role": _harmony(_recipient_in_role, _analysis(_NEED)),
    "harmony_code": _harmony(_code_constraint, _analysis(_NEED)),
    "harmony_from_analysis": _harmony(_analysis_recipient, _analysis(_NEED)),
    "harmony_stripped": _harmony(_stripped, f"analysis{_NEED}assistant", "assistant"),
    "harmony_final": around(_analysis(_NEED) + "<|channel|>final<|message|>" + fence("CODE")),
    "harmony_final_return": around("<|channel|>final<|message|>BEFORE\n\n" + fence("CODE") + "<|return|>"),
    "harmony_final_stripped": around(f"analysis{_NEED}assistantfinal" + fence("CODE")),
    "harmony_python": around(
        _analysis(_NEED) + "<|channel|>analysis to=python code<|message|>CODE<|call|>",
    ),
}


def _runaway(case: Case, rng: Random) -> str | None:
    """The model goes on with the user's turn and its own next one."""
    if not case.calls:
        return None
    return (
        f"{fence(code_of(case))}<|im_end|>\n<|im_start|>user\nThanks! And again?<|im_end|>\n"
        f"<|im_start|>assistant\n{fence(decoy(case.calls[0]))}<|im_end|>"
    )


STYLES = (
    *styles("tokens", {f"end_{name}": around(fence("CODE") + token) for name, token in _ENDS.items()}),
    *styles("tokens", {f"end_bare_{name}": around("CODE" + token) for name, token in list(_ENDS.items())[:6]}),
    *styles("tokens", {f"start_{name}": around(token + fence("CODE")) for name, token in _STARTS.items()}),
    *styles(
        "tokens",
        {
            "python_tag_bare": around("<|python_tag|>CODE<|eom_id|>"),
            "python_tag_behind_words": around("BEFORE\n<|python_tag|>CODE"),
            "both_ends": around("<|im_start|>assistant\n" + fence("CODE") + "<|im_end|>\n"),
            "end_line": around(fence("CODE") + "\n<|im_end|>\n"),
            "end_twice": around(fence("CODE") + "</s></s>"),
            "end_inside": around("```python\nCODE<|im_end|>\n```"),
            "end_unclosed": around("```python\nCODE<|im_end|>"),
            "prose_end": around("BEFORE\n\n" + fence("CODE") + "\n\nAFTER<|eot_id|>"),
            "runaway": _runaway,
        },
    ),
    *styles("tokens", _HARMONY),
)
