"""How lines begin that may be more than prose: fences, tags of thoughts, and code that stands without a fence.

Rule: no pattern is anchored at a line's end, so that what matches a line's beginning matches the line, and a line that
isn't complete is held back only while it may still match.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

THOUGHT_TAGS = "think|thinking|thoughts?|reasoning|analysis|scratchpad|reflection"

PYTHON_NAMES = frozenset(["python", "py", "tool_code", "tool_call", "tool_calls", "tools", "ipython", "pycon", "repl"])
PYTHON_FENCES = (
    PYTHON_NAMES
    | {""}
    | frozenset(
        (
            "python-repl pyrepl ipy jupyter notebook starlark tool tool-code tool-call tool-calls toolcode function"
            " functions function_call function_calls function-call call calls code exec execute action"
        ).split()
    )
)
"""What stands behind the backticks of a block that is read as Python, in lower case, without a version."""
WRAPPERS = frozenset(["markdown", "md"])
"""Languages of a fence around a whole answer, whose own fences count."""

REACH = 256
"""Characters at a line's beginning that are looked at."""
_LONGEST_INFO = 200
_FENCE_START = r"(?P<fence>[ \t]{0,32}(?:(?P<quote>>)[ \t]?|[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(?P<marks>`{3,}|~{3,}))"
_OPENS = rf"<(?i:{THOUGHT_TAGS})(?:[ \t][^<>\n]{{0,100}})?+(?<!/)>"
_THOUGHT_START = rf"(?P<thought>[ \t]{{0,32}}{_OPENS})"
_CALLED = r"(?!(?:print|await|return)\b)(?P<called>[^\W\d][\w.-]{0,159})[ ]?\("
_CALL = rf"(?:(?:await|return)[ ])?(?:print\([ ]?)?(?:await[ ])?(?:[\[(][ ]?)?(?:await[ ])?{_CALLED}"
_CODE = (
    rf"(?P<code>[ \t]{{0,32}}(?:(?:>>>|In[ ]?\[\d{{1,5}}\]:)[ ](?=\S)|{_CALL}"
    r"|[A-Za-z_]\w{0,63}[ ]{0,4}(?::[ ]?[A-Za-z_][\w.\[\], |]{0,60}[ ])?=[^=\n>]"
    r"|for[ ]\w{1,64}(?:,[ ]?\w{1,64}){0,4}[ ]in[ ]\S{1,200}.{0,120}:[ \t]*\n"
    r"|import[ ][A-Za-z_][\w.]{0,63}(?:[ ]as[ ]\w{1,64})?[ \t]*\n"
    r"|from[ ][A-Za-z_.][\w.]{0,63}[ ]import[ ][\w ,*()]{1,120}\n"
    r"|(?:async[ ])?def[ ]\w{1,100}\(|class[ ]\w{1,100}(?:\([\w., ]{0,60}\))?:|try:[ \t]*\n"
    r"|if[ ](?:True|1|__name__[ ]?==[ ]?['\"]__main__['\"]):[ \t]*\n))"
)
_ASIDE = (
    r"(?P<aside>[ \t]{0,32}(?:(?:>|[-*+•]|\d{1,3}[.):])[ \t]{1,4}){0,2}(?:\*\*)?"
    r"(?:(?i:(?:function|tool|python)?[ _]?(?:call|code|function|tool|action|command))s?"
    r"(?:[ ]?\d{1,3})?:(?:\*\*)?[ ]?)?"
    rf"(?:\*\*)?(?:`{{1,2}}|<code>)?(?P<text>{_CALL}))"
)
LINE_START = regex.compile(rf"{_FENCE_START}|{_THOUGHT_START}|{_CODE}|{_ASIDE}")
"""What a line begins with that may be more than prose: a fence, a thought's tag, code without a fence, or a call among
the marks of prose.

Code without a fence is a call (also printed, awaited, returned, or in a list), an assignment, a prompt, or the head of
a loop, an import, a definition.
"""
TEXT_START = regex.compile(
    rf"(?P<fence>(?!))|(?P<code>(?P<called>(?!)))|(?P<aside>(?!))|{_THOUGHT_START}", regex.IGNORECASE
)
"""The same where no call is wanted."""
INLINE = regex.compile(rf"(?P<marks>`{{3,}})|(?P<end></(?:{THOUGHT_TAGS})>)|(?P<opens>{_OPENS})", regex.IGNORECASE)
INLINE_TEXT = regex.compile(rf"(?P<marks>(?!))|(?P<end></(?:{THOUGHT_TAGS})>)|(?P<opens>(?!))", regex.IGNORECASE)
THOUGHT_END = regex.compile(rf"(?P<opens>{_OPENS})|</(?:{THOUGHT_TAGS})>", regex.IGNORECASE)
"""What a thought ends with, if no other one has been opened in it."""

BARE_CONTINUES = regex.compile(
    r"\s*(?:#|$|[A-Za-z_][\w.]*[ \t]*(?:=[^=]|\(|\[|:[ ]?[\w\[\]., |]{1,60}=)"
    r"|(?:for|if|import|from|print|await|return|pass|try|with|def|async|class|while)\b|[\])}@]"
    r"|(?:else|finally|try|except|elif)\b[^\n]{0,120}:[ \t]*(?:\#|$|\n))"
)
"""How a line goes on with code that has no fence."""

_TICKED = regex.compile(rf"[ ]?(?P<text>{_CALL})")
_INFO = regex.compile(
    r"[ \t]*(?:\{[ \t]*[.#]?(?P<language>[\w+#-]+)[^{}\n]{0,160}\}|(?P<language>[\w+#.-]*)(?=\s|$|[`~{:,]))"
)
_ATTRIBUTES = regex.compile(
    r"(?:[:,][ \t]*[^\s()=]{0,100})?+"
    r"""(?:[ \t]+(?:\{[^{}\n]{0,160}\}|[\w.-]+=(?:"[^"\n]*"|'[^'\n]*'|[^\s"'()\[\]]+)|[A-Za-z][\w.-]*))*+[ \t]*$"""
)
_OPENED = regex.compile(r"(?P<bold>\*\*)?(?P<ticks>`{1,2}|<code>)?$")
_BEHIND = " \t.,;"
"""What may stand behind a call that is a line of its own."""
_VERSION = regex.compile(r"-?[\d.]+$")


@dataclass(slots=True)
class Nesting:
    """Thoughts inside of a thought; ``begun``: something has been thought."""

    begun: bool = False
    _inner: int = 0

    def end(self, line: str, marks: regex.Pattern[str]) -> regex.Match[str] | None:
        """Where in the next line the thought ends; ``marks`` is THOUGHT_END, or the end of one that has no others."""
        for found in marks.finditer(line):
            if marks is THOUGHT_END and found["opens"]:
                self._inner += 1
            elif self._inner:
                self._inner -= 1
            else:
                self.begun = False
                return found
        self.begun = self.begun or not line.isspace()
        return None


def opens_thought(line: str, at: int) -> bool:
    """A thought's tag behind words, which ends at ``at``, opens one; it doesn't where a sentence about it goes on."""
    return not line[at:].strip() or line[at].isalnum()


@dataclass(frozen=True, slots=True)
class FenceInfo:
    """The language behind a fence's marks, in lower case without a version, and where in the line code may begin."""

    language: str
    end: int

    @property
    def is_python(self) -> bool:
        return self.language in PYTHON_FENCES


def fence_info(line: str, at: int) -> FenceInfo:
    """What stands behind the marks of a fence, which end at ``at``; its attributes are no code."""
    found = _INFO.match(line, at)
    if found is None:
        return FenceInfo("", at)
    language = found["language"].lower()
    language = _VERSION.sub("", language) or language
    rest = line[found.end() :].rstrip("\r\n")
    if language and len(rest) <= _LONGEST_INFO and _ATTRIBUTES.match(rest):
        return FenceInfo(language, len(line))
    return FenceInfo(language, found.end())


def opens_behind_words(line: str, at: int) -> bool:
    """Behind words, a fence opens a block only with nothing but its language, or with Python's name."""
    found = _INFO.match(line, at)
    if found is None or found.start("language") != at:
        return False
    return not line[found.end() :].strip() or _VERSION.sub("", found["language"].lower()) in PYTHON_NAMES


@dataclass(frozen=True, slots=True)
class TickedCall:
    """A call right behind three backticks: the function, and the source if the backticks close at the line's end."""

    called: str
    source: str | None


def ticked_call(line: str, at: int) -> TickedCall | None:
    """The call right behind the backticks that end at ``at`` in a line of words, None where there is something else."""
    found = _TICKED.match(line, at)
    if found is None:
        return None
    body = line.rstrip().rstrip(".")
    if "```" not in line[at:]:
        return TickedCall(found["called"], None)
    source = body[at:].strip("` ")
    closes = body.endswith("```") and source.endswith((")", "]")) and "```" not in source
    return TickedCall(found["called"], source) if closes else None


def aside_source(line: str, at: int) -> str | None:
    """The call that begins at ``at`` in a line of nothing else, None if there is more in it."""
    opened = _OPENED.search(line, 0, at)
    assert opened is not None
    closing = (opened["ticks"] or "").replace("<code>", "</code>") + (opened["bold"] or "")
    body = line[at:].strip().rstrip(_BEHIND)
    if not body.endswith(closing):
        return None
    source = body[: len(body) - len(closing)].rstrip(_BEHIND)
    return source if source.endswith((")", "]")) and "`" not in source else None
