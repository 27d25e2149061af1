"""Receipts into the ledger and out of it."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from till import DATE, NOON, SINGAPORE, Receipt, batch, opened_ledger

from daybook.errors import InputError
from daybook.ledger.receipts import (
    LeftDay,
    ReceiptCounts,
    WholeDays,
    lock_stores,
    read_receipts,
    receipt_counts,
    write_receipts,
)
from daybook.ledger.store_days import (
    StoreDayStatus,
    read_store_days,
    settle_store_days,
    unfinished_store_days,
    write_store_days,
)
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from daybook.ledger.store_days import StoreDayState

HOUR = dt.timedelta(hours=1)
BAR = Store("S02", "Bar", "America/New_York", "USD", cutoff=dt.time(4, 0))
STORES = (SINGAPORE, BAR)
DAY = StoreDay(DATE, "S01")


@pytest.fixture
def ledger(database_url: str) -> Iterator[Engine]:
    """A ledger with two stores."""
    with opened_ledger(database_url, *STORES) as engine:
        yield engine


def write(ledger: Engine, receipts: Sequence[Receipt]) -> ReceiptCounts:
    """Write the receipts in a transaction of their own."""
    with ledger.begin() as connection:
        return write_receipts(connection, batch(receipts), STORES, now_at=NOON)


def names(ledger: Engine) -> list[tuple[str, str]]:
    """Receipt and category of every line in the ledger."""
    query = text(
        "SELECT receipt_id_pos, category FROM receipt_lines JOIN receipts ON id = receipt_id "
        "ORDER BY receipt_id_pos, line_no"
    )
    with ledger.connect() as connection:
        return [(row.receipt_id_pos, row.category) for row in connection.execute(query)]


def fingerprint(ledger: Engine) -> list[tuple[str, int, str]]:
    """Where every row stands and which transaction wrote or locked it."""
    rows = []
    with ledger.connect() as connection:
        for table in ("receipts", "receipt_lines", "receipt_tenders"):
            query = text(f"SELECT ctid::text, xmin::text::bigint, xmax::text FROM {table}")  # noqa: S608 - our own names
            rows += [tuple(row) for row in connection.execute(query)]
    return rows


def test_what_goes_in_comes_out(ledger: Engine) -> None:
    """Totals of what was read are those of what was written, hostile names and all."""
    receipts = [
        Receipt(lines=(('Fish "n" chips,\n\\.', "GST", 2**40, 1), ("", "Z\U0001f9fe", -7, 0))),
        Receipt("R,2", is_refund=True, tenders=(("NETS", -5), ("", 1))),
        Receipt("R3", is_voided=True),
        Receipt("R1", store_id="S02", currency="USD", lines=(), tenders=()),
    ]
    write(ledger, receipts)
    days = [DAY, StoreDay(dt.date(2026, 3, 13), "S02")]
    with ledger.connect() as connection:
        back = read_receipts(connection, days)
        assert {days[0]: 3, days[1]: 1} == receipt_counts(connection, days)
    assert daily_totals(batch(receipts), STORES) == daily_totals(back, STORES)


def test_only_the_days_asked_for_are_read(ledger: Engine) -> None:
    """Other dates and stores stay where they are."""
    write(ledger, [Receipt(), Receipt("R2", sold_at=NOON + 24 * HOUR), Receipt(store_id="S02")])
    with ledger.connect() as connection:
        assert ["R1"] == read_receipts(connection, [DAY]).receipts["receipt_id_pos"].tolist()
        assert 0 == len(read_receipts(connection, []).receipts)


def test_the_same_receipts_again_write_nothing(ledger: Engine) -> None:
    """Not one row of the ledger is touched by a second extract."""
    receipts = [Receipt(), Receipt("R2", lines=())]
    assert ReceiptCounts(2, 0, 0) == write(ledger, receipts)
    before = fingerprint(ledger)
    assert ReceiptCounts(0, 0, 2) == write(ledger, receipts)
    assert before == fingerprint(ledger)


@pytest.mark.parametrize("later", [HOUR, 0 * HOUR])
def test_a_newer_or_different_version_replaces_lines_and_tenders(
    ledger: Engine, later: dt.timedelta
) -> None:
    """Nothing of the old version is left."""
    write(ledger, [Receipt(lines=(("Food", "GST", 1, 0), ("Tea", "GST", 2, 0))), Receipt("R2")])
    newer = Receipt(updated_at=NOON + later, lines=(("Coffee", "GST", 3, 0),), tenders=())
    assert ReceiptCounts(0, 1, 0) == write(ledger, [newer])
    assert [("R1", "Coffee"), ("R2", "Food")] == names(ledger)


def test_an_older_version_never_overwrites_a_newer_one(ledger: Engine) -> None:
    """Pages that arrive late change nothing."""
    write(ledger, [Receipt(updated_at=NOON + HOUR)])
    older = Receipt(lines=(("Tea", "GST", 2, 0),))
    assert ReceiptCounts(0, 0, 1) == write(ledger, [older])
    assert [("R1", "Food")] == names(ledger)


def test_a_version_that_only_was_touched_still_counts_as_newer(ledger: Engine) -> None:
    """A version between the two must not win afterwards."""
    write(ledger, [Receipt()])
    write(ledger, [Receipt(updated_at=NOON + 2 * HOUR)])
    between = Receipt(updated_at=NOON + HOUR, lines=(("Tea", "GST", 2, 0),))
    assert ReceiptCounts(0, 0, 1) == write(ledger, [between])


def write_whole(
    ledger: Engine, receipts: Sequence[Receipt], *days: StoreDay, is_kept: bool = True
) -> ReceiptCounts:
    """Write the receipts as all there are of these days."""
    whole = WholeDays("till", days, days if is_kept else (), "ALL-")
    with ledger.begin() as connection:
        return write_receipts(connection, batch(receipts), STORES, now_at=NOON, whole=whole)


def test_of_a_whole_day_an_older_version_that_came_back_counts(ledger: Engine) -> None:
    """The source says what there is; the same again writes nothing."""
    write_whole(ledger, [Receipt(updated_at=NOON + HOUR)], DAY)
    older = Receipt(lines=(("Tea", "GST", 1000, 90),))
    assert ReceiptCounts(0, 1, 0) == write_whole(ledger, [older], DAY)
    assert [("R1", "Tea")] == names(ledger)
    before = fingerprint(ledger)
    assert ReceiptCounts(0, 0, 1) == write_whole(ledger, [older], DAY)
    assert before == fingerprint(ledger)


def test_only_the_kept_day_that_would_lose_a_receipt_stays(ledger: Engine) -> None:
    """The next day of the same batch is written, and the first as soon as it is whole."""
    both = [Receipt(), Receipt("R2")]
    write_whole(ledger, both, DAY)
    tomorrow = StoreDay(DATE + dt.timedelta(days=1), "S01")
    changed = Receipt(updated_at=NOON + HOUR, lines=(("Tea", "GST", 1, 0),))
    later = Receipt("R3", sold_at=NOON + 24 * HOUR)
    said = "1 receipt that was taken over before is no longer there: R2."
    expected = ReceiptCounts(1, 0, 0, left=(LeftDay(DAY, said),))
    assert expected == write_whole(ledger, [changed, later], DAY, tomorrow)
    assert [("R1", "Food"), ("R2", "Food"), ("R3", "Food")] == names(ledger)
    assert ReceiptCounts(0, 1, 1) == write_whole(ledger, [changed, both[1]], DAY)


def test_a_voided_receipt_is_not_lost(ledger: Engine) -> None:
    """It is still named; what was voided before need not be."""
    write_whole(ledger, [Receipt(), Receipt("R2")], DAY)
    voided = Receipt("R2", is_voided=True)
    assert ReceiptCounts(0, 1, 1) == write_whole(ledger, [Receipt(), voided], DAY)
    assert ReceiptCounts(0, 0, 1) == write_whole(ledger, [Receipt()], DAY)


@pytest.mark.parametrize(("net_minor", "left_count"), [(500, 0), (499, 1)])
def test_a_stand_in_gives_way_to_an_equal_sum(
    ledger: Engine, net_minor: int, left_count: int
) -> None:
    """10.90 in one, or in two of 5.00 and 0.45 each; a voided receipt is none of it."""
    write_whole(ledger, [Receipt("ALL-1")], DAY)
    line = ("Food", "GST", net_minor, 45)
    parts = [Receipt(one, lines=(line,)) for one in ("R1", "R2")]
    voided = Receipt("R3", is_voided=True)
    counts = write_whole(ledger, [*parts, voided], DAY)
    assert (left_count, 1 - left_count) == (len(counts.left), counts.superseded_count)


def test_of_a_proven_day_receipts_may_vanish(ledger: Engine) -> None:
    """Whatever stood for it, and whatever it comes to."""
    write_whole(ledger, [Receipt("ALL-1"), Receipt("R1"), Receipt("R2")], DAY)
    proven = write_whole(ledger, [Receipt("R2")], DAY, is_kept=False)
    assert ReceiptCounts(0, 0, 1, 2) == proven


def test_of_two_versions_in_one_batch_the_newest_is_written(ledger: Engine) -> None:
    """Their lines do not mix."""
    newer = Receipt(updated_at=NOON + HOUR, lines=(("Tea", "GST", 2, 0),))
    assert ReceiptCounts(1, 0, 0) == write(ledger, [newer, Receipt()])
    assert [("R1", "Tea")] == names(ledger)


def test_a_changed_cutoff_moves_receipts_at_the_next_extract(ledger: Engine) -> None:
    """The business date in the ledger follows the store's clock."""
    write(ledger, [Receipt()])
    late = replace(SINGAPORE, cutoff=dt.time(13, 0))
    with ledger.begin() as connection:
        counts = write_receipts(connection, batch([Receipt()]), [late], now_at=NOON)
        moved = receipt_counts(connection, [StoreDay(DATE - dt.timedelta(days=1), "S01")])
    assert (1, [1]) == (counts.changed_count, list(moved.values()))


def test_a_failed_transaction_leaves_nothing(ledger: Engine) -> None:
    """The caller's transaction makes it all or nothing."""
    with ledger.connect() as connection:
        write_receipts(connection, batch([Receipt()]), STORES, now_at=NOON)
        connection.rollback()
    assert [] == names(ledger)


def test_two_writes_in_one_transaction_do_not_mix(ledger: Engine) -> None:
    """The second write does not see what the first one staged."""
    with ledger.begin() as connection:
        write_receipts(connection, batch([Receipt()]), STORES, now_at=NOON)
        counts = write_receipts(connection, batch([Receipt("R2")]), STORES, now_at=NOON)
    assert ReceiptCounts(1, 0, 0) == counts
    assert [("R1", "Food"), ("R2", "Food")] == names(ledger)


def test_a_store_the_ledger_does_not_know_is_a_sentence(ledger: Engine) -> None:
    """It is named, with what to do."""
    with (
        pytest.raises(InputError, match="does not know store S99; load the stores first"),
        ledger.begin() as connection,
    ):
        lock_stores(connection, ["S01", "S99"])


def test_concurrent_writers_neither_deadlock_nor_duplicate(ledger: Engine) -> None:
    """Many runs over the same receipts, in opposite orders, leave each of them once."""
    receipts = [
        Receipt(f"R{number:03}", store_id=store)
        for number in range(100)
        for store in ("S01", "S02")
    ]
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def run(turned: list[Receipt]) -> None:
        start.wait()
        try:
            for later in range(3):
                updated_at = NOON + later * HOUR
                write(ledger, [replace(one, updated_at=updated_at) for one in turned])
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=(receipts[:: 1 if even else -1],))
        for even in (True, False, True, False)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures
    assert sorted((one.receipt_id_pos, "Food") for one in receipts) == names(ledger)


@pytest.mark.parametrize(
    ("hours", "later", "state"), [(-96, 1, "totalled"), (1, 1, "posted"), (-96, -1, "posted")]
)
@pytest.mark.parametrize("stored", ["posted", "planned", "failed"])
def test_a_posted_day_that_a_receipt_was_moved_away_from_is_not_done(
    ledger: Engine,
    hours: int,
    later: int,
    state: StoreDayState,
    stored: StoreDayState,
) -> None:
    """Its till's clock was put right: the other day has it now, and this one may not keep it.

    Nor where another run is posting it right now, and calls it posted when it is done.
    """
    write(ledger, [Receipt(), Receipt("R2")])
    other = StoreDay(DATE, "S02")
    with ledger.begin() as connection:
        refused = Hold(HoldCode.REFUSED, "invoice:S01", "Xero refused it.")
        day = StoreDayStatus(DAY, stored, (refused,) if stored == "failed" else ())
        days = [day, StoreDayStatus(other, "posted")]
        write_store_days(connection, days, run_id="test", now_at=NOON)
    moved = Receipt(sold_at=NOON + hours * HOUR, updated_at=NOON + later * HOUR)
    write(ledger, [moved, Receipt("R2"), Receipt("R3")])
    with ledger.begin() as connection:
        settle_store_days(connection, [DAY, other], run_id="other", now_at=NOON)
    with ledger.connect() as connection:
        found = read_store_days(connection, [DAY, other])
        unfinished = unfinished_store_days(connection)
    assert (state, "posted") == (found[DAY].state, found[other].state)
    assert ([DAY] if state == "totalled" else []) == list(unfinished)
