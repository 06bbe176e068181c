"""All styles, in the order in which they are rendered."""

from __future__ import annotations

from tests.styles import around, calls, fences, mends, names, never, objects, statements, tags, tokens, values

STYLES = (
    *calls.STYLES,
    *statements.STYLES,
    *values.STYLES,
    *fences.STYLES,
    *around.STYLES,
    *tokens.STYLES,
    *tags.STYLES,
    *objects.STYLES,
    *names.STYLES,
    *mends.STYLES,
    *never.STYLES,
)
