"""What a model says, thinks and makes up around its calls."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.styles.cases import Call, Case, Json, Style, Write, styles
from tests.styles.writing import BEFORE, code_of, fence, fill, plain, python, sentences

_INVENTED = '{"status": "success", "data": {"value": 42}}'


def other_value(value: Json) -> Json:
    """A value of the same kind that isn't meant."""
    if isinstance(value, str):
        return "example"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return [] if isinstance(value, list) else {}


def decoy(call: Call) -> str:
    """A call of the same function that isn't meant."""
    return (
        f"{call.function}({', '.join(f'{key}={python(other_value(value))}' for key, value in call.keywords.items())})"
    )


def _thinking(case: Case) -> str:
    names = " and ".join(dict.fromkeys(call.function for call in case.calls))
    return (
        f"The user wants me to use {names}. Let me check the parameters.\n"
        f"All required values are given, so I can call {names} directly."
    )


def _decoys(case: Case) -> str:
    return "\n".join(map(decoy, case.calls))


def _with(template: str) -> Write:
    """``CODE``: the calls, ``THOUGHT``: a thought about them, ``DECOYS``: calls that aren't meant, ``CALL``: the first
    call, ``FUNCTION``: its name, ``BEFORE`` and so on: a sentence."""

    def written(case: Case, rng: Random) -> str | None:
        if not case.calls:
            return None
        words = {
            "THOUGHT": _thinking(case),
            "DECOYS": _decoys(case),
            "FUNCTION": case.calls[0].function,
            "INVENTED": _INVENTED,
            "CODE": code_of(case),
        }
        return fill(template, words | sentences(rng))

    return written


def _thought(tag: str, end: str = "") -> str:
    end = end or tag.replace("<", "</")
    return f"{tag}\nTHOUGHT\n{end}\n\n```python\nCODE\n```"


_PROSE = {
    "before": "BEFORE\n\n```python\nCODE\n```",
    "after": "```python\nCODE\n```\n\nAFTER",
    "both": "BEFORE\n\n```python\nCODE\n```\n\nAFTER",
    "long": "BEFORE\n\nI checked what is available: `FUNCTION` does this.\n\n```python\nCODE\n```\n\nAFTER\n\nAFTER",
    "inline_name": "I will use the `FUNCTION` function for this.\n\n```python\nCODE\n```",
    "inline_signature": "The function `FUNCTION(...)` fits here:\n\n```python\nCODE\n```\n\nThat is, `FUNCTION()` with your values.",
    "inline_call_behind": "```python\nCODE\n```\n\nThis runs `FUNCTION(...)` and returns its result.",
    "inline_argument": "Since you gave all values, `FUNCTION` can be called without asking back.\n\n```py\nCODE\n```",
    "heading": "## Function call\n\n```python\nCODE\n```\n\n## Explanation\n\nAFTER",
    "bold_label": "**Tool call:**\n\n```python\nCODE\n```",
    "steps": "1. **Understand the request** – the parameters are all given.\n2. **Call the function**:\n\n```python\nCODE\n```\n\n3. **Report** the result.",
    "bullets_after": "```python\nCODE\n```\n\n- The function is `FUNCTION`.\n- All arguments are taken from your message.",
    "table_after": "```python\nCODE\n```\n\n| step | function |\n|---|---|\n| 1 | FUNCTION |\n",
    "rule": "BEFORE\n\n---\n\n```python\nCODE\n```\n\n---",
    "emoji": "🔍 BEFORE\n\n```python\nCODE\n```\n✅",
    "question_after": "```python\nCODE\n```\n\nWould you like me to do anything else?",
    "no_result_yet": "BEFORE\n\n```python\nCODE\n```\n\nPlease wait while I fetch the result.",
    "example_inline": "For example, `FUNCTION(...)` could be used here. So:\n\n```python\nCODE\n```",
    "example_block": "A call of this function would look like this, for example:\n\n```python\nDECOYS\n```\n\nWith your values, the actual call is:\n\n```python\nCODE\n```",
    "example_sentence": "A call such as FUNCTION() does that; here is the one for you:\n\n```python\nCODE\n```",
    "parameters_listed": "Parameters taken from the request are complete.\n\n* function: FUNCTION\n\n```python\nCODE\n```",
    "html_comment": "<!-- tool call -->\n```python\nCODE\n```",
    "french": "Bien sûr, je m'en occupe.\n\n```python\nCODE\n```\n\nVoilà.",
    "chinese": "好的,我来调用函数:\n\n```python\nCODE\n```\n",
    "single_word": "Sure!\n```python\nCODE\n```",
    "json_beside": 'The result will have this shape:\n\n```json\n{"status": "..."}\n```\n\n```python\nCODE\n```',
    "shell_beside": "No installation (`pip install`) is needed.\n\n```bash\necho ready\n```\n\n```python\nCODE\n```",
}

_THOUGHTS = {
    "think": _thought("<think>"),
    "thinking": _thought("<thinking>"),
    "thought": _thought("<thought>"),
    "reasoning": _thought("<reasoning>"),
    "capitals": _thought("<THINK>"),
    "think_empty": "<think>\n\n</think>\n\n```python\nCODE\n```",
    "think_bare": "<think>\nTHOUGHT\n</think>\n\nCODE",
    "think_prose": "<think>\nTHOUGHT\n</think>\n\nBEFORE\n\n```python\nCODE\n```",
    "think_no_gap": "<think>THOUGHT</think>```python\nCODE\n```",
    "think_decoy": "<think>\nTHOUGHT\nMaybe:\n```python\nDECOYS\n```\nNo, with the values given.\n</think>\n\n```python\nCODE\n```",
    "think_decoy_bare": "<think>\nTHOUGHT\nI could write\nDECOYS\nbut that has the wrong values.\n</think>\n\n```python\nCODE\n```",
    "think_same": "<think>\nTHOUGHT So:\n```python\nCODE\n```\n</think>\n\n```python\nCODE\n```",
    "think_unclosed_fence": "<think>\nTHOUGHT\n```python\nDECOYS\n</think>\n\n```python\nCODE\n```",
    "think_then_bare_decoy": "<think>DECOYS</think>\nCODE",
    "unopened": "Okay, the user wants something done. THOUGHT\n</think>\n\n```python\nCODE\n```",
    "unopened_decoy": "Okay, the user wants something. Perhaps\n```python\nDECOYS\n```\nHmm, no.\n</think>\n\n```python\nCODE\n```",
    "unopened_short": "THOUGHT\n</think>\n\n```python\nCODE\n```",
    "unopened_we": "We need to call a function. THOUGHT\n</think>\n```python\nCODE\n```",
    "answer_tag": "<think>\nTHOUGHT\n</think>\n<answer>\n```python\nCODE\n```\n</answer>",
    "brackets": "[THINK]THOUGHT[/THINK]```python\nCODE\n```",
    "brackets_decoy": "[THINK]THOUGHT\n```python\nDECOYS\n```\n[/THINK]\n```python\nCODE\n```",
    "seed_decoy": "<seed:think>THOUGHT\nDECOYS\n</seed:think>\n```python\nCODE\n```",
    "kimi_decoy": "◁think▷THOUGHT\nDECOYS\n◁/think▷\n```python\nCODE\n```",
    "command_decoy": "<|START_THINKING|>THOUGHT\nDECOYS\n<|END_THINKING|><|START_RESPONSE|>```python\nCODE\n```<|END_RESPONSE|>",
    "gemma_decoy": "<|channel>thought\nTHOUGHT\nDECOYS\n<channel|>```python\nCODE\n```",
    "open_thoughts_decoy": "<|begin_of_thought|>\nTHOUGHT\nDECOYS\n<|end_of_thought|>\n\n<|begin_of_solution|>\n```python\nCODE\n```\n<|end_of_solution|>",
    "two_thoughts": "<think>\nTHOUGHT\n</think>\n<think>\nDECOYS\n</think>\n```python\nCODE\n```",
    "react": "Thought: THOUGHT\nCode:\n```python\nCODE\n```",
    "label": "**Reasoning:** THOUGHT\n\n**Code:**\n```python\nCODE\n```",
    "comment": "```python\n# THOUGHT_LINE\nCODE\n```",
}

_RESULTS = {
    "fence": "```python\nCODE\n```\n\n```output\nINVENTED\n```\n\nThe value is 42.",
    "fence_result": "```python\nCODE\n```\n```result\nINVENTED\n```",
    "fence_tool_output": "```tool_code\nCODE\n```\n```tool_outputs\nINVENTED\n```\nThe value is 42.",
    "fence_json": "```python\nCODE\n```\n\nThe result:\n\n```json\nINVENTED\n```\n\nSo the value is 42.",
    "fence_plain": "```python\nCODE\n```\n\nOutput:\n\n```\nINVENTED\n```",
    "line": "```python\nCODE\n```\n\nOutput: INVENTED",
    "line_result": "```python\nCODE\n```\nResult: 42",
    "comment": "```python\nCODE\n# Output: INVENTED\n```",
    "comment_arrow": "```python\nCODE\n# => 42\n```",
    "docstring": '```python\nCODE\n"""\nOutput:\nINVENTED\n"""\n```',
    "tag": "```python\nCODE\n```\n<tool_response>\nINVENTED\n</tool_response>\n\nThe value is 42.",
    "observation": "```python\nCODE\n```\nObservation: INVENTED\nThought: That is enough.\nFinal Answer: 42",
    "bare": "CODE\n\nOutput: INVENTED",
    "with_call": "```python\nCODE\n```\n\n```output\nDECOYS\n```",
    "final": "BEFORE\n\n```python\nCODE\n```\n\nThe function returned 42, so the answer to your question is 42.",
}


def _commented(case: Case, rng: Random) -> str | None:
    return fence(f"# {_thinking(case).replace(chr(10), chr(10) + '# ')}\n{code_of(case)}") if case.calls else None


def _table(group: str, templates: dict[str, str], make: Callable[[str], Write] = _with) -> tuple[Style, ...]:
    return styles(group, {name: make(template) for name, template in templates.items()})


def _between(case: Case, rng: Random) -> str | None:
    if len(case.calls) < 2:
        return None
    parts = [f"{rng.choice(BEFORE)}\n\n{fence(plain(call))}" for call in case.calls]
    return "\n\n".join(parts)


STYLES = (
    *_table("prose", _PROSE),
    *styles("prose", {"between": _between}),
    *_table("thoughts", {name: text for name, text in _THOUGHTS.items() if "_LINE" not in text}),
    *styles("thoughts", {"comment": _commented}),
    *_table("results", _RESULTS),
)
