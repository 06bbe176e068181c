"""A profile: what a family's file says, checked and complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

PROMPTS = ("full", "short")
"""The variants of the prompt: ``full`` is ``templates/prompts/*.jinja``, each other a folder in there whose files stand
in for those of the same name."""

_ONE_DISTRIBUTION = frozenset(["temperature", "top_p", "top_k", "min_p"])
"""Parameters that only make sense together: whoever sets one of them has chosen for all."""
_MARKER = re.compile(r"<[^\s<>]+>|\[[^\s\[\]]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptStyle:
    """How a model is shown tools and conversation; each field is explained by the key of its name in ``keys.py``."""

    prompt: str = "full"
    stubs: Literal["user", "system"] = "user"
    examples: bool = True
    system_role: bool = True
    alternate: bool = False
    assistant_prefix: bool = True

    @property
    def any_order(self) -> bool:
        """Messages of whatever roles may follow each other as they come."""
        return self.system_role and self.assistant_prefix and not self.alternate


DEFAULT_STYLE = PromptStyle()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """``name`` is the file's, and behind a slash the pattern of the entry in it that counts.

    The other fields are explained by the keys of their names in ``keys.py``.
    """

    name: str = "default"
    style: PromptStyle = DEFAULT_STYLE
    opens_thought: bool = False
    tags: tuple[str, str] | None = None
    stop: tuple[str, ...] = ()
    sampling: tuple[tuple[str, float], ...] = ()
    strategies: tuple[str, ...] = ("code", "guided", "bridge", "two_pass")

    @property
    def stop_may_cut(self) -> bool:
        """Some stop sequence may stand inside what the model means to write.

        A marker of the chat template (``<|im_end|>``, ``[INST]``) may not: where one comes, the answer was over.
        """
        return not all(map(_MARKER.fullmatch, self.stop))


def with_defaults(body: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """The request's ``body`` with the profile's sampling and stop sequences where the client has left them open.

    Temperature, top_p, top_k and min_p are added only if the client gave none of them.  As OpenAI has it, null counts
    as not given.
    """
    given = {key for key, value in body.items() if value is not None}
    settled = given | _ONE_DISTRIBUTION if given & _ONE_DISTRIBUTION else given
    completed = dict(body) | {key: value for key, value in profile.sampling if key not in settled}
    if profile.stop and not body.get("stop"):
        completed["stop"] = list(profile.stop)
    return completed
