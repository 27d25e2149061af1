"""Rejects in the ledger."""

from __future__ import annotations

import datetime as dt

from till import NOON, opened_ledger

from daybook.ledger.rejects import RejectRow, StoredReject, read_rejects, write_rejects

ROW = RejectRow("/files/lines.csv", 7, "net_amount", "'1,5' is not an amount.")
OTHER = RejectRow("/files/lines.csv", 8, "", 'It has "7" cells,\nnot 8.')


def test_a_reject_is_stored_once_and_keeps_its_first_sight(database_url: str) -> None:
    """The same row seen by a later run, or twice in one, is not a second reject."""
    later = NOON + dt.timedelta(days=1)
    with opened_ledger(database_url) as ledger, ledger.begin() as connection:
        assert 1 == write_rejects(connection, [ROW, ROW], run_id="first", now_at=NOON)
        assert 1 == write_rejects(connection, [ROW, OTHER], run_id="second", now_at=later)
        assert [
            StoredReject(OTHER, later, "second"),
            StoredReject(ROW, NOON, "first"),
        ] == read_rejects(connection)
        assert [OTHER] == [one.reject for one in read_rejects(connection, 1)]


def test_no_rejects_write_nothing(database_url: str) -> None:
    """The usual page has none."""
    with opened_ledger(database_url) as ledger, ledger.begin() as connection:
        assert 0 == write_rejects(connection, [], run_id=None, now_at=NOON)
