"""What stands around calls: how a frame opens, and how it ends.

Rule: a frame is ``sure`` if nothing but a call is written in it; its calls leave when it closes.  The others count only
if the answer makes no call otherwise, so they wait for its end.  No frame opens in the middle of words, except by
tokens and tags that no prose has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import regex

from emulator.code.formats.react import ACTION
from emulator.code.formats.tokens import BAR, LOW
from emulator.code.harmony import END_OF_CALL

Ends = Literal["closing", "brackets", "answer", "opening"]


@dataclass(frozen=True, slots=True)
class Frame:
    """``opens`` matches its beginning, with a group ``called`` only if that names a tool.  It ends with what matches
    ``closing``, or with the closing tag of the group ``tag``; or with the brackets that it opened, too; or with the
    answer; or it is nothing but its opening.

    ``inline``: it also opens behind words.  ``whole``: the opening belongs to what the formats read.  ``keyed``: it is
    released as soon as its first key shows that it is no call.
    """

    name: str
    opens: str
    closing: str = ""
    sure: bool = True
    inline: bool = True
    whole: bool = False
    keyed: bool = False
    ends: Ends = "closing"


_SPACE = r"(?:[a-z]{1,16}:|[|｜]DSML[|｜])?"
_WRAPPER = "tool_?calls?|function_?calls?|tool_uses?|use_tool|use_mcp_tool|longcat_tool_call"
_ELEMENT = "function|invoke|tool|call|action|tool_call|tool_use"
_ATTRIBUTE = r"""[\w.-]{1,64}=(?:"[^"<>\n]*"|'[^'<>\n]*')"""
_NAME = r"[^\W\d]\w{0,127}"
_OBJECT = r"""\{{1,2}[ \t]*(?:\n|\\?["'“]|[A-Za-z_]\w{0,63}[ \t]*:)"""
_LABEL = r"(?i:(?:function|tool)[ _]?calls?|call|json|tool|function|output)"

FRAMES: tuple[Frame, ...] = (
    Frame(
        "element",
        rf"<(?P<tag>{_SPACE}(?:{_ELEMENT}))(?:=|[ \t]{{1,4}}(?:name|tool_name|function)[ \t]?=)[^<>\n]{{1,256}}>",
        whole=True,
    ),
    Frame("wrapper", rf"<(?P<tag>{_SPACE}(?i:{_WRAPPER}))(?:[ \t][^<>\n]{{0,256}})?>"),
    Frame("mistral", r"\[TOOL_CALLS\]", r"\[/TOOL_CALLS\]|</s>", ends="brackets"),
    Frame(
        "square tag",
        r"\[(?i:tool_call|function_call|tool_request|tool_use)\]",
        r"\[(?:/|END_)(?i:tool_call|function_call|tool_request|tool_use)\]",
        inline=False,
    ),
    Frame("deepseek", rf"<{BAR}tool{LOW}calls{LOW}begin{BAR}>", rf"<{BAR}tool{LOW}calls{LOW}end{BAR}>"),
    Frame("kimi", r"<\|tool_calls_section_begin\|>", r"<\|tool_calls_section_end\|>"),
    Frame("token", rf"<{BAR}tool{LOW}call{LOW}begin{BAR}>", rf"<{BAR}tool{LOW}call{LOW}end{BAR}>", whole=True),
    Frame("lfm", r"<\|tool_call_start\|>", r"<\|tool_call_end\|>"),
    Frame("granite", r"<\|tool_calls?\|>", r"<\|/tool_calls?\|>", ends="brackets"),
    Frame("gemma", r"<\|tool_call>|<start_function_call>", r"<tool_call\|>|<end_function_call>"),
    Frame("command", r"<\|START_ACTION\|>", r"<\|END_ACTION\|>"),
    Frame("internlm", r"<\|action_start\|>[ \t]*(?:<\|(?:plugin|interpreter)\|>)?", r"<\|action_end\|>"),
    Frame("apertus", r"<\|tools_prefix\|>", r"<\|tools_suffix\|>"),
    Frame("functools", r"functools[ ]?(?=\[)", inline=False, ends="brackets"),
    Frame(
        "siblings",
        rf"<(?P<first>tool|tool_name|action|function|function_name)>[ \t]*(?P<called>{_NAME})[ \t]*</(?P=first)>",
        r"</(?:tool_input|action_input|parameters|arguments|args|input|params)>",
        sure=False,
        inline=False,
        whole=True,
        keyed=True,
    ),
    Frame(
        "attributes",
        rf"<(?P<called>{_NAME})(?:[ \t]+{_ATTRIBUTE}){{1,32}}[ \t]*(?:/>|></(?P=called)>)",
        sure=False,
        inline=False,
        whole=True,
        ends="opening",
    ),
    Frame("catalogue", r"<(?P<tag>tools)>", sure=False, inline=False, keyed=True),
    Frame(
        "list",
        r"<(?P<tag>functions?|actions|tool|call|json|answer|response|output|result|final_answer)>",
        sure=False,
        inline=False,
        keyed=True,
    ),
    Frame("own tag", rf"<(?P<tag>(?P<called>{_NAME}))>", sure=False, inline=False, whole=True),
    Frame(
        "react",
        rf"(?={ACTION})[*_#\s]{{0,8}}(?:Action|Function|Tool)",
        sure=False,
        inline=False,
        whole=True,
        ends="answer",
    ),
    Frame(
        "label",
        rf"(?:(?:>|[-*+•]|\d{{1,3}}[.)])[ \t]{{1,3}})?(?:\*\*)?(?:{_LABEL}:(?:\*\*)?[ \t]*)?(?=\[?{_OBJECT})",
        sure=False,
        inline=False,
        keyed=True,
        ends="brackets",
    ),
    Frame(
        "name above",
        r"(?:>>>[ \t]?)?(?P<called>[^\W\d]\w{0,127})[ \t]*\n",
        sure=False,
        inline=False,
        whole=True,
        ends="brackets",
    ),
    Frame(
        "name before",
        r"(?P<called>[^\W\d][\w-]{0,127})"
        r"(?:[ ]?(?:\[ARGS\][ ]?)?(?=\{[ \t]*(?:[\"'}]|\n))|[ ]?:[ ]?(?=\{[ \t]*[\"'\n]))",
        sure=False,
        inline=False,
        whole=True,
        ends="brackets",
    ),
    Frame("recipient", r"<\|recipient\|>", r"<\|stop\|>|(?=<\|from\|>)"),
    Frame("raven", r"Call:[ \t]?(?=[^\n]{1,4000}<bot_end>)", r"<bot_end>", inline=False),
    Frame("qwen", r"✿FUNCTION✿:?", r"✿(?:RESULT|RETURN)✿:?|(?=✿FUNCTION✿)", inline=False),
    Frame("ticks", rf"`{{1,2}}(?=\[?{_OBJECT})", r"`{1,2}", sure=False, inline=False, keyed=True, ends="brackets"),
    Frame(
        "json",
        rf"(?=\[[ \t]*\n|(?:\[[ \t]*){{0,2}}{_OBJECT})",
        sure=False,
        inline=False,
        whole=True,
        keyed=True,
        ends="brackets",
    ),
)
HARMONY = Frame("harmony", "", END_OF_CALL, whole=True)
"""A message to a function, with its header."""
FENCED = Frame("fenced", "", sure=False, inline=False, keyed=True)
"""What a fence in a language of data has in it; the fence itself is the extractor's."""


_CLOSINGS = {frame.name: regex.compile(frame.closing) for frame in (*FRAMES, HARMONY) if frame.closing}


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a frame ends: at its closing tag or token, or where the same tag opens again without that."""

    pattern: regex.Pattern[str] | None = None
    tag: str = ""

    @staticmethod
    def of(frame: Frame, opening: regex.Match[str] | None = None) -> Ending:
        if opening is not None and "tag" in opening.re.groupindex and (tag := opening["tag"]):
            return Ending(tag=tag)
        return Ending(_CLOSINGS.get(frame.name))

    def find(self, text: str, at: int) -> tuple[int, int] | None:
        """The offsets of the frame's end and of what stands behind it."""
        if self.pattern is not None:
            found = self.pattern.search(text, at)
            return None if found is None else found.span()
        if not self.tag:
            return None
        again = text.find(f"<{self.tag}", at)
        closing = text.find(f"</{self.tag}>", at, len(text) if again < 0 else again)
        if closing >= 0:
            return closing, closing + len(self.tag) + 3
        return None if again < 0 or text[again + len(self.tag) + 1 :][:1] not in ("=", " ", ">") else (again, again)


def alternatives(frames: tuple[Frame, ...]) -> str:
    """A pattern of all openings, each in a group ``frame<its index in FRAMES>``."""
    return "|".join(f"(?P<frame{FRAMES.index(frame)}>{frame.opens})" for frame in frames)


def opened(found: regex.Match[str]) -> Frame | None:
    """The frame that a match of ``alternatives`` opens."""
    groups = found.groupdict()
    return next((frame for index, frame in enumerate(FRAMES) if groups.get(f"frame{index}") is not None), None)
