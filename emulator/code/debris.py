"""Special tokens of chat templates that show up as text.

Rule: such a token is nobody's where it stands at the beginning or the end of a line of the answer, or around code; in
the middle of words it is what they are about.  Where a turn of somebody else begins, the answer is over: what follows
was made up.
"""

from __future__ import annotations

import regex

_BAR = "[|｜]"
_KEPT = "im_start|start|channel|recipient|content|from|message|constrain|start_header_id|start_of_role"
"""Tokens that say something of what follows them."""
_ASSISTANTS = r"(?i:assistant|model|ai|gpt)\b"
_OTHERS = r"(?i:user|human|system|developer|tool|ipython|observation|function|environment)"
_TOKEN = (
    rf"(?:<{_BAR}(?!(?:{_KEPT}|tool|action_start|START_(?:ACTION|THINKING)|begin_of_thought|{_OTHERS}{_BAR}){_BAR}?)"
    rf"[A-Za-z/][^|｜<>\s]{{0,40}}{_BAR}>"
    rf"|<\|im_start\|>{_ASSISTANTS}|<\|start_header_id\|>{_ASSISTANTS}<\|end_header_id\|>"
    rf"|<\|start_of_role\|>{_ASSISTANTS}<\|end_of_role\|>|<start_of_turn>{_ASSISTANTS}|<\|from\|>{_ASSISTANTS}"
    r"|</s>|<(?:bos|eos|end_of_turn|eot|bot_end)>|\[/?INST\]|\[/TOOL_CALLS\]|<<(?:function|tool)>>)"
)
_CLOSING = (
    r"</(?:[a-z]{1,16}:)?(?:tool_?calls?|function_?calls?|tool_use|invoke|function|parameter)>"
    rf"|<{_BAR}tool[_▁]calls?[_▁](?:section[_▁])?end{_BAR}>|<\|/tool_calls?\|>"
)
TOKENS = rf"(?:(?:{_TOKEN}|{_CLOSING})[ \t]*+)++"
"""One token or several, or ends of frames that nothing opened, as a pattern; nothing that opens a frame is one."""
TURN = (
    rf"(?:(?:<\|im_start\|>[ \t]*|<start_of_turn>|<\|start_header_id\|>|<\|start_of_role\|>){_OTHERS}\b"
    rf"|<{_BAR}{_OTHERS}{_BAR}>)"
)
"""Somebody else's turn begins, as a pattern."""
_RESULT_TAGS = (
    "tool_response tool_responses function_response function_result function_results tool_result tool_results"
    " tool_output tool_outputs observation"
).split()
RESULT_FENCES = frozenset([*_RESULT_TAGS, "result", "results", "output", "outputs"])
"""Languages of the fences in which results are shown; after a call, the model made such a block up."""
INVENTED = (
    rf"(?:<(?P<result>{'|'.join(_RESULT_TAGS)})>"
    r"|<\|tool_response\|?>|[*_#]{0,3}Observation(?:[ \t]{0,2}\d{0,3})?[*_]{0,3}:"
    r"|<\|start\|>(?:functions|tools)\.)"
)
"""A result that follows a call, and that the model can only have made up, as a pattern."""

_AT_END = regex.compile(rf"(?:\s*+{_TOKEN})+\s*\Z")
_LAST = regex.compile(r"[>\]]\s*\Z")


def without_tokens(text: str) -> str:
    """``text`` without the tokens at its end, and without white space around it."""
    text = text.strip()
    while _LAST.search(text[-8:]) is not None:
        begin = max(text.rfind("<", 0, len(text)), text.rfind("[", 0, len(text)))
        if begin < 0 or _AT_END.match(text, begin) is None:
            return text
        text = text[:begin].rstrip()
    return text
