"""What of docs/profiles.md is made from the code: ``python -m emulator.profiles.document docs/profiles.md``."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from emulator.profiles.keys import KEYS, MATCH
from emulator.profiles.profile import Profile, PromptStyle

BEGIN, END = "<!-- keys:begin -->", "<!-- keys:end -->"


def keys_table() -> str:
    """All keys of a profile's file, in Markdown."""
    lines = ["| Key | Default | May be | Meaning |", "| --- | --- | --- | --- |"]
    for key in (MATCH, *KEYS.values()):
        default = "" if key is MATCH else _shown(_default(key.name))
        lines.append(f"| `{key.name}` | {default} | {key.allowed} | {key.meaning} |")
    return "\n".join(lines)


def with_current_keys(document: str) -> str:
    """``document`` with what stands between its two markers replaced by the table."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The document lacks the markers {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{keys_table()}\n{END}{after}"


def _default(name: str) -> Any:
    profile = Profile()
    return getattr(profile.style if name in {field.name for field in fields(PromptStyle)} else profile, name)


def _shown(value: Any) -> str:
    return f"`{json.dumps(value)}`" if value not in (None, ()) else "none"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_current_keys(file.read_text("utf-8")), "utf-8")
