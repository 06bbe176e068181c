"""The models that clients name → the model that is asked for, by patterns of names.

Rule: the first pattern that fits counts, and a name is looked up once: what comes of it is no name of a client's.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

Pairs = tuple[tuple[str, str], ...]


def read_model_map(text: str) -> Pairs:
    """``"claude-*=qwen, gpt-4*=llama"`` as pairs of pattern and name.  Raises ValueError with what is wrong."""
    pairs: list[tuple[str, str]] = []
    for item in text.split(","):
        pattern, sign, name = (part.strip() for part in item.partition("="))
        if not item.strip():
            continue
        if not (pattern and sign and name):
            raise ValueError(f"has {item.strip()!r}, which is no PATTERN=MODEL; an example is claude-*=qwen2.5-coder")
        pairs.append((pattern, name))
    return tuple(pairs)


def mapped(name: str, pairs: Pairs) -> str:
    """The model for ``name``; ``name`` itself where no pattern fits."""
    return next((model for pattern, model in pairs if fnmatchcase(name, pattern)), name)
