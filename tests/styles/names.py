"""Names that are nearly those of the tools."""

from __future__ import annotations

from collections.abc import Callable

from tests.styles.cases import Call, Case, Style, Write, styles
from tests.styles.writing import as_json, camel, each, fence, keywords, plain


def _in_json(rename: Callable[[str], str]) -> Callable[[Call], str]:
    return lambda call: as_json({"name": rename(call.name), "arguments": dict(call.arguments)})


def _apart(rename: Callable[[str], str], case: Case) -> bool:
    """The new name is another one, and no other tool's."""
    names = {"".join(char for char in tool["function"]["name"].lower() if char.isalnum()) for tool in case.tools}
    return len(names) == len(case.tools) and all(rename(call.name) != call.name for call in case.calls)


def _only_apart(rename: Callable[[str], str], write: Write) -> Write:
    return lambda case, rng: write(case, rng) if case.calls and _apart(rename, case) else None


def _lower_camel(name: str) -> str:
    whole = camel(name)
    return whole[:1].lower() + whole[1:]


def _last_dotted(name: str) -> str:
    return _dotted(*name.rsplit("_", 1))


def _first_dotted(name: str) -> str:
    return _dotted(*name.split("_", 1))


def _dotted(*parts: str) -> str:
    """Joined by a dot, unless a part can't stand there: then as it was."""
    return ("." if all(part.isidentifier() for part in parts) else "_").join(parts)


_RENAMES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "lower": str.lower,
    "camel": camel,
    "lower_camel": _lower_camel,
    "dashes": lambda name: name.replace("_", "-"),
    "capitalised": lambda name: name[:1].upper() + name[1:],
    "together": lambda name: name.replace("_", "").lower(),
    "dotted_last": _last_dotted,
    "dotted_first": _first_dotted,
}

_PREFIXES = {
    "functions": "functions.",
    "tools": "tools.",
    "tool": "tool.",
    "default_api": "default_api.",
    "api": "api.",
}


def _python(rename: Callable[[str], str]) -> Write:
    return each(lambda call, rng: f"{rename(call.function)}({keywords(call)})")


def _json(rename: Callable[[str], str]) -> Write:
    written = _in_json(rename)
    return lambda case, rng: (
        "\n".join(f"<tool_call>\n{written(call)}\n</tool_call>" for call in case.calls) if case.calls else None
    )


def _table() -> dict[str, Write]:
    table: dict[str, Write] = {}
    for name, rename in _RENAMES.items():
        table[f"python_{name}"] = _only_apart(rename, _python(rename))
        table[f"json_{name}"] = _only_apart(rename, _json(rename))
    for name, prefix in _PREFIXES.items():
        table[f"python_prefix_{name}"] = each(lambda call, rng, prefix=prefix: prefix + plain(call))
        table[f"json_prefix_{name}"] = _json(lambda text, prefix=prefix: prefix + text)
    return table


STYLES: tuple[Style, ...] = (
    *styles("names", _table()),
    *styles(
        "names",
        {
            "bare_prefix_functions": lambda case, rng: (
                "\n".join(f"functions.{plain(call)}" for call in case.calls) or None
            )
        },
    ),
    *styles(
        "names",
        {
            "json_python_name": lambda case, rng: (
                fence(as_json({"name": case.only.function, "arguments": case.only.keywords}), "json")
                if case.only
                else None
            )
        },
    ),
)
