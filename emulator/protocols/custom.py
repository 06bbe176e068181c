"""Custom tools: their input is a text, not JSON.

To the core such a tool is a function with one string, ``input``; only the protocols' adapters tell it apart.
Source: OpenAI's API reference, tools of type ``custom``.
"""

from __future__ import annotations

import json


def custom_input(arguments: str) -> str:
    """The text in the proven arguments of a custom tool's call."""
    return json.loads(arguments)["input"]


def custom_arguments(text: str) -> str:
    """``text`` as the arguments of the function that stands for the tool."""
    return json.dumps({"input": text}, ensure_ascii=False)
