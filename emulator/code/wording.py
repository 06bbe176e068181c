"""What the words around a call say of it: an example, a quotation, a question to the user, a call that isn't made.

Rule: the words decide nothing on their own here, undecided.py does.  They are those of English, and of a few other
languages where one word tells.  No pattern repeats over text without a bound.
"""

from __future__ import annotations

import regex

_I = regex.IGNORECASE
_DO = "call|run|execute|invoke|make|perform|use"
_EXAMPLE = regex.compile(
    r"\b(?:for (?:example|instance)\b|e\.g\.|examples?\b"
    r"|(?:would|could|might) (?:then )?(?:look|be (?:written|called))\b"
    r"|(?:general|basic|usual|typical)(?:ly)? (?:form|format|syntax|pattern|usage|call)\b"
    r"|the (?:syntax|format|signature|usage)\b|hypothetical\w*"
    r"|(?:beispiel|exempl[eo]|ejemplo|esempio)\w{0,3}\b|z\. ?B\.)",
    _I,
)
_POSSIBLE = regex.compile(
    rf"\b(?:(?:I|you|we|one) (?:can|could|would|might|may) (?:(?:now|then|also|just|simply) )?(?:{_DO}|write)\b"
    r"|(?:function|tool|call) (?:is|can be|could be) (?:called|used|invoked|written|made)\b)",
    _I,
)
_QUOTATION = regex.compile(
    r"(?:\b(?:tool|function|api|e-?mail|message|page|web ?page|web ?site|site|document|file|ticket|comment|user)s?"
    r" (?:now |has |have |had |then |also )?(?:says?|said|answer(?:s|ed)|return(?:s|ed)|repl(?:ies|ied)|responded"
    r"|contain(?:s|ed)|reads?|states?|stated)(?: (?:this|that|the following|back))?"
    r"|\b(?:tool|function)(?:['’]s)? (?:answer|result|output|response) (?:is|was|contain(?:s|ed)|reads?)"
    r"|\b(?:Werkzeug|Funktion|E-?Mail|Nachricht|Seite|Dokument|Datei)"
    r" (?:sagte?|antwortete?|meldete?|enthält|enthielt|lautete?))[*_ ]{0,4}:[*_]{0,3}\Z",
    _I,
)
_NOT_MADE = regex.compile(
    r"\b(?:hypothetical\w*|if i (?:had|could|were|was)\b|for (?:illustration|demonstration|illustrative)"
    r"|(?:don['’]t|do not|didn['’]t|did not|can['’]t|cannot|can not|won['’]t|will not|must not|mustn['’]t|shouldn['’]t"
    r"|should not|not going to|not able to|unable to|never) (?:actually |really |be )?"
    rf"(?:{_DO}|do|follow|obey|needed|called|executed)"
    r"|(?:not|n['’]t) (?:yet |been |be |actually |really ){0,4}(?:called|executed|run|made|done)\b"
    r"|(?:only|just) an (?:example|illustration)|I(?:['’]ve| have)? (?:ignored?|refused?|declined?)\b|ignored it\b"
    r"|(?:functions|tools|calls) are (?:called|used|invoked|written|made)\b"
    r"|nicht (?:aufgerufen|ausgeführt))",
    _I,
)
_ASKS_LEAVE = regex.compile(
    r"\b(?:(?:shall|should|may) I|(?:do|would) you (?:want|like) me to|soll ich)\b[^?]{0,200}\?\Z", _I
)
_ASKS = regex.compile(
    r"(?<!\b(?:any|some)thing else[^.?!]{0,60})\?[\s\"'”’)*_]*\Z"
    r"|\bplease (?:confirm|provide|specify|clarify|tell me|let me know (?:what|which|whether))\b[^\n]{0,200}\s*\Z",
    _I,
)
_PLACEHOLDER = regex.compile(
    r"""(?<![A-Za-z])(?P<quote>["'])(?:<(?!/)[^<>"'\n]{1,60}>|\{[^{}"'\n]{1,60}\}|\[your [^\[\]"'\n]{1,60}\]"""
    r"""|(?:YOUR|your)_\w{1,60})(?P=quote)(?!\s*:|\.)"""
)
_SENTENCE_END = regex.compile(r"\n[ \t>]*\n|[.!?](?<!\be\.g\.|\bz\. ?B\.)\s")


def last_sentence(text: str) -> str:
    """The sentence, or the beginning of one, that ``text`` ends with."""
    return _SENTENCE_END.split(text.rstrip("> \t\r\n"))[-1]


def is_example(sentence: str) -> bool:
    """What comes next is an example, or a call that isn't made."""
    return _EXAMPLE.search(sentence) is not None or tells_not_made(sentence)


def is_possible(sentence: str) -> bool:
    """What comes next can be done, or is asked about: it depends on the words behind it whether it is."""
    return _POSSIBLE.search(sentence) is not None or asks_leave(sentence)


def is_quotation(sentence: str) -> bool:
    """What comes next was said by somebody else."""
    return sentence.rstrip(" *_").endswith(":") and _QUOTATION.search(sentence) is not None


def tells_not_made(text: str) -> bool:
    """The call that these words are about isn't made."""
    return _NOT_MADE.search(text) is not None


def asks_leave(sentence: str) -> bool:
    """The user is asked whether to make the call that comes next."""
    return sentence.endswith("?") and _ASKS_LEAVE.search(sentence) is not None


def ends_asking(text: str) -> bool:
    """The last words ask the user something that an answer has to wait for; whether there is anything else is not."""
    return _ASKS.search(text) is not None


def has_placeholder(source: str) -> bool:
    """A string in a call stands for a value that isn't known: ``"<city>"``, ``"YOUR_KEY"``, ``"{city}"``."""
    marked = "<" in source or "{" in source or "[" in source or "your" in source or "YOUR" in source
    return marked and _PLACEHOLDER.search(source) is not None
