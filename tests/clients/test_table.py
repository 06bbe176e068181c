"""The compatibility table is read by those who choose a client: it must say what the tests say, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.table import (
    BEGIN,
    END,
    FEATURES,
    Check,
    add_checks,
    read_checks,
    rows,
    shown_and_found,
    table,
    with_table,
)

pytestmark = pytest.mark.clients


def check(feature: str, mode: str, *, client: str = "A client", passed: bool = True) -> Check:
    return Check(client, "Messages", "1.2", feature, mode, passed)


def cells_of(*checks: Check) -> dict[str, str]:
    [line] = rows(table(checks)).values()
    shown = [cell.strip() for cell in line.strip("|").split("|")]
    assert shown[:3] == ["A client", "Messages", "1.2"]
    return {feature: cell for feature, cell in zip(FEATURES, shown[3:], strict=True) if cell}


def test_a_cell_says_how_a_feature_was_shown() -> None:
    """Both modes may be shown by two tests or by one; a failure is never hidden by a success."""
    assert cells_of(
        check("call", "plain"),
        check("call", "streamed"),
        check("nested", "both"),
        check("choice", "streamed"),
        check("usage", "plain"),
        check("unicode", "both"),
        check("unicode", "plain", passed=False),
    ) == {"call": "✓", "nested": "✓", "choice": "streamed", "usage": "plain", "unicode": "✗"}


def test_clients_have_rows_in_the_order_of_their_names() -> None:
    """However the tests ran."""
    lines = rows(table([check("call", "plain", client=name) for name in ("b", "C", "a")]))
    assert [client for client, _ in lines] == ["a", "b", "C"]


def test_only_what_stands_between_the_markers_changes() -> None:
    """The rest of the document is written by hand."""
    document = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert with_table(document, []) == f"before\n{BEGIN}\n{table([])}\n{END}\nafter"
    with pytest.raises(ValueError, match="markers"):
        with_table("no place for it", [])


def test_findings_of_several_runs_stand_side_by_side(tmp_path: Path) -> None:
    """Clients run in several environments; what is found anew takes the place of what was."""
    file = tmp_path / "found.json"
    old, new, other = check("call", "plain"), check("choice", "plain"), check("call", "plain", client="Another")
    add_checks(file, [old, other])
    add_checks(file, [new])
    assert read_checks(file) == [other, new]


def test_the_document_shows_what_these_tests_show(request: pytest.FixtureRequest) -> None:
    """A test that was added, or a client's new version, is in the table: ``make clients`` writes it."""
    shown, found = shown_and_found(request, Path(__file__).parent)
    assert shown == found
