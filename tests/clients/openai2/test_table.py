"""The compatibility table has these clients' rows, too, which only this environment can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.table import shown_and_found

pytestmark = pytest.mark.clients


def test_the_document_shows_what_these_tests_show(request: pytest.FixtureRequest) -> None:
    """A test that was added, or a client's new version, is in the table: ``make clients`` writes it."""
    shown, found = shown_and_found(request, Path(__file__).parent)
    assert shown == found
