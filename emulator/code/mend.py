"""Source that isn't Python, but nearly → the Python that it may have been meant as.

Rule: nothing is invented.  Marks that Python wants are put in where two values stand side by side, where a bracket is
left open at the end or a block's colon is missing; what other languages write in their place is exchanged for it; an
indentation that fits nowhere goes to its neighbours'.  A string is never closed, and a text that waits for a value is
left alone.  No number and no string is changed, added, dropped, or parted from what may be its other half.  Whether
a candidate is what was meant, its calls have to prove.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from emulator.code.reindent import reindented

LONGEST = 8192
"""Characters of source that is mended."""
_MOST_DEPTH = 64
_LONGEST_TYPE = 24
"""Tokens of a type."""
_NEVER_ENDS = regex.compile(
    r"""(?i:[rbuf]{0,2})(?:\"\"\"(?:[^"\\]|\\.|"(?!""))*+|'''(?:[^'\\]|\\.|'(?!''))*+)""", regex.DOTALL
)
_DELIMITED = r"(?=\s*+(?:[,:)\]}=，）：]|$))"
_TOKEN = regex.compile(
    r"""(?P<space>[ \t\f\u00a0\u2000-\u200d\u202f\u2060\u3000\ufeff]++|\\\r?\n)|(?P<comment>\#[^\n]*+)"""
    r"""|(?P<newline>\r?\n)|(?P<string>(?i:[rbuf]{0,2})(?:\"\"\"(?:[^"\\]|\\.|"(?!""))*+(?:\"\"\")?"""
    r"""|'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?"""
    r"""|"(?:[^"\\\n“”]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'))"""
    rf"""|(?P<quoted>[“”„‟«»](?:(?!"\s*+[,)\]}}])[^“”„‟«»\n])*+[“”„‟«»]{_DELIMITED}|[‘’‚‛][^‘‚‛\n]*?[‘’‛]{_DELIMITED}"""
    rf"""|[“”„‟«»][^"\n]*+"{_DELIMITED}|"(?:(?!["“”]\s*+[,)\]}}])[^"\n])*+[“”]{_DELIMITED}"""
    r"""|\\"(?:[^"\\\n])*+\\")"""
    r"""|(?P<string>"(?:[^"\\\n]|\\.)*+")"""
    r"""|(?P<number>(?:\d[\w.]*+|\.\d\w*+))|(?P<name>[^\W\d](?:\w|\\_)*+)"""
    r"""|(?P<mark>=>|->|:=|\*\*=?|//=?|[=!<>]=|<<|>>|[+*/%&|^-]=|\.\.\.|[^\s\w"'“”„‟«»‘’‚‛])""",
    regex.DOTALL,
)
_WIDE = str.maketrans("（），：＝｛｝［］；", "(),:={}[];")
_NO_SPACE = regex.compile("[\u200b-\u200d\u2060\ufeff]")
_SPACES = str.maketrans(dict.fromkeys(["\u00a0", "\u202f", "\u3000", *map(chr, range(0x2000, 0x200B))], " "))
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPERATORS = frozenset("and or not in is if else for async lambda await return yield from as import".split())
"""Names between or before values."""
_COMPOUND = frozenset("if elif else for while def class with try except finally".split())
_NO_PARAMETERS = frozenset(["None", "True", "False", "lambda", "not", "await"])


@dataclass(slots=True)
class _Token:
    """``apart``: white space stands before it."""

    kind: str
    text: str
    apart: bool = False


@dataclass(slots=True)
class _Open:
    """A bracket that is open; ``calls`` if it holds a call's arguments."""

    mark: str
    calls: bool


def candidates(source: str, *, ends: bool) -> Iterator[str]:
    """Other readings of ``source``, which isn't Python, all different.  ``ends``: its last line is the model's own end,
    so that brackets still open there were forgotten."""
    if len(source) > LONGEST:
        return
    tokens = _tokens(source)
    if tokens is None:
        return
    mended = _Mender(tokens, ends=ends).mended()
    if mended is None:
        return
    seen = {source}
    for width in (0, 4, 8):
        text = mended if width == 0 else reindented(mended, width)
        if text is not None and text not in seen:
            seen.add(text)
            yield text


def _tokens(source: str) -> list[_Token] | None:
    """The tokens of ``source`` with its spaces, None where a string never ends."""
    tokens: list[_Token] = []
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None or found.lastgroup is None or _NEVER_ENDS.fullmatch(found.group()):
            return None
        token = _token(found.lastgroup, found.group())
        token.apart = bool(tokens) and tokens[-1].kind in ("space", "newline", "comment")
        tokens.append(token)
        at = found.end()
    return tokens


def _token(kind: str, text: str) -> _Token:
    """The token in Python's own letters."""
    match kind:
        case "space" if "\n" not in text:
            return _Token(
                kind,
                "".join(
                    char if char in " \t" else "" if char in "\u200b\u200c\u200d\u2060\ufeff" else " " for char in text
                ),
            )
        case "quoted":
            inner = text[2:-2] if text.startswith("\\") else text[1:-1]
            return _Token("string", '"' + regex.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', inner) + '"')
        case "name":
            return _Token(kind, text.replace("\\_", "_"))
        case "mark":
            return _Token(kind, text.translate(_WIDE))
        case _:
            return _Token(kind, text)


@dataclass(slots=True)
class _Mender:
    """Looks at each token once, with its neighbours."""

    tokens: list[_Token]
    ends: bool
    _open: list[_Open] = field(default_factory=list[_Open])
    _line: list[_Token] = field(default_factory=list[_Token])
    """The tokens of the line outside of brackets."""
    _at: int = 0
    _returned: bool = False
    """The rest of the line says what a call returns."""

    def mended(self) -> str | None:
        tokens = [token for token in self.tokens if token.kind not in ("space", "comment", "newline")]
        following = iter([*tokens[1:], _Token("end", "")])
        before = _Token("start", "")
        for at, token in enumerate(self.tokens):
            self._at = at
            if token.kind == "newline" and not self._open:
                self._end_line(before)
                self._returned = False
            if token.kind in ("space", "comment", "newline"):
                continue
            after = next(following)
            self._returned = self._returned or self._tells_result(before, token)
            if self._returned:
                token.text = ""
            if not token.text:  # It was dropped, by itself or with another.
                continue
            if not self._token(before, token, after):
                return None
            before = token if token.text else before
        self._end_line(before)
        if self._open:
            if not self.ends or not _ends_value(before):
                return None
            self._last_code().text += "".join(_CLOSING[opened.mark] for opened in reversed(self._open))
        return "".join(token.text for token in self.tokens)

    def _tells_result(self, before: _Token, token: _Token) -> bool:
        arrow = token.text in ("->", "=>") and before.text == ")"
        return arrow and not self._open and self._line[0].text not in ("def", "async")

    def _last_code(self) -> _Token:
        return next(token for token in reversed(self.tokens) if token.kind not in ("space", "comment", "newline"))

    def _token(self, before: _Token, token: _Token, after: _Token) -> bool:
        """Mend at one token; False where nothing can be made of it."""
        if before.kind == token.kind == "string" and not token.apart:
            return False  # A quotation mark in a string ends it, and what follows may be the rest of it.
        if not self._open:
            self._line.append(token)
        if token.text in _CLOSING:
            calls = token.text == "(" and (before.kind == "name" or before.text in (")", "]"))
            self._open.append(_Open(token.text, calls and before.text not in _OPERATORS))
            return len(self._open) <= _MOST_DEPTH
        if token.text in (")", "]", "}"):
            self._close(token)
            return True
        if not self._open:
            return True
        if token.text == ";":
            token.text = ","
        if token.text == before.text == "," and after.text in (")", "]", "}"):
            token.text = ""
        elif self._open[-1].calls and before.text.endswith(("(", ",")):
            self._parameter(token, after)
        if _misses_comma(before, token, after, self._open[-1]):
            before.text += ","
            if self._open[-1].calls:
                self._parameter(token, after)
        return True

    def _close(self, token: _Token) -> None:
        """Brackets that were forgotten inside of the one that closes are closed first; one too many is left out."""
        marks = [opened.mark for opened in self._open]
        opener = next(mark for mark, closing in _CLOSING.items() if closing == token.text)
        if opener not in marks:
            token.text = ""
            return
        closing = ""
        while (opened := self._open.pop()).mark != opener:
            closing += _CLOSING[opened.mark]
        token.text = closing + token.text

    def _parameter(self, token: _Token, after: _Token) -> None:
        """``x: 1``, ``"x": 1``, ``"x" = 1`` and ``x => 1`` are ways to write ``x=1``; so is a keyword as a name."""
        if token.kind not in ("name", "string") or after.text not in (":", "=", "=>"):
            return
        name = token.text if token.kind == "name" else token.text[1:-1]
        if not name.isidentifier() or name in _NO_PARAMETERS:
            return
        token.kind, token.text = "name", f"{name}_" if keyword.iskeyword(name) else name
        if after.text == ":" and self._drop_type(after):
            return
        after.text = "="

    def _drop_type(self, colon: _Token) -> bool:
        """``x: str = 1``: the type that was left in goes away, so that the equals sign is next."""
        at = next(index for index in range(self._at, len(self.tokens)) if self.tokens[index] is colon)
        dropped = [colon]
        for token in self.tokens[at + 1 : at + 1 + _LONGEST_TYPE]:
            if token.text == "=":
                for part in dropped:
                    part.text = ""
                return len(dropped) > 1
            if token.kind not in ("name", "space") and token.text not in ("[", "]", "|", "."):
                return False
            dropped.append(token)
        return False

    def _end_line(self, last: _Token) -> None:
        """A block's head that lacks its colon."""
        line, self._line = self._line, []
        if line and line[0].text in _COMPOUND and not any(token.text == ":" for token in line):
            last.text += ":"


def _misses_comma(before: _Token, token: _Token, after: _Token, opened: _Open) -> bool:
    """Never between two numbers, which may be one, nor beside a string, which a quotation mark may have ended too
    early: there, only the key of another value says that the first one is over."""
    if not _ends_value(before):
        return False
    if token.kind in ("name", "string") and token.apart and after.text in (":", "=", "=>"):
        return token.text not in _OPERATORS and (opened.mark == "{" or opened.calls)
    if "string" in (before.kind, token.kind):
        return False
    if token.kind == "name":
        return token.text not in _OPERATORS
    return token.kind == "number" and before.kind != "number"


def _ends_value(token: _Token) -> bool:
    if token.kind == "name":
        return token.text not in _OPERATORS
    return token.kind in ("string", "number") or token.text[-1:] in (")", "]", "}")
