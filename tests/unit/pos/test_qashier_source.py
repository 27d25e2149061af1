"""The Qashier source over files in a folder."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from qashier_files import SalesReport, SoldItem, details, put

from daybook.errors import InputError
from daybook.pos import qashier_source
from daybook.pos.qashier_arrivals import arrivals
from daybook.pos.qashier_source import QashierSource
from daybook.pos.qashier_text import Misfit
from daybook.pos.source import NO_DAY, Reach
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daybook.pos.source import Page, Reject

DATE = dt.date(2026, 5, 2)
AFTER = dt.datetime(2026, 5, 2, 16, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
KATONG = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")
NAMES = {"Teh House Katong": "K1", "Teh House Bedok": "K2"}


def pages(
    folder: Path, store: Store = KATONG, *, last: dt.date = DATE, is_early_allowed: bool = False
) -> list[Page]:
    """What the folder holds of one store."""
    source = QashierSource(str(folder), NAMES, is_early_allowed=is_early_allowed)
    return list(source.receipts([store], DATE, last))


def receipts(found: list[Page]) -> list[tuple[str, bool]]:
    """Receipts, and whether they are voided."""
    return [
        pair
        for page in found
        for pair in zip(
            page.batch.receipts["receipt_id_pos"].to_list(),
            page.batch.receipts["is_voided"].to_list(),
            strict=True,
        )
    ]


def rejects(found: list[Page]) -> list[Reject]:
    """All rejects."""
    return [reject for page in found for reject in page.rejects]


def refused(folder: Path, store: Store = KATONG) -> str:
    """The one reason why nothing is taken over."""
    found = pages(folder, store)
    assert [] == receipts(found)
    (reject,) = rejects(found)
    return reject.reason


def test_its_name_keeps_secrets() -> None:
    """It is shown in logs."""
    source = QashierSource("sftp://me:hush@host/drop?key=hush", {})
    assert "Qashier's files at sftp://host/drop" == source.name


def test_a_report_is_one_receipt(tmp_path: Path) -> None:
    """With the time its file was written."""
    put(tmp_path, "r.csv", SalesReport().text(), AFTER)
    (page,) = pages(tmp_path)
    assert [("REPORT-2026-05-02", False)] == receipts([page])
    assert [AFTER] == page.batch.receipts["updated_at"].to_list()
    assert () == page.rejects


def test_an_empty_folder_has_no_pages(tmp_path: Path) -> None:
    """Nothing came yet."""
    assert [] == pages(tmp_path)


def test_other_stores_and_dates_are_passed_over(tmp_path: Path) -> None:
    """Without a word: they are somebody else's, or another day's."""
    put(tmp_path, "a.csv", SalesReport(store_name="Teh House Bedok").text(), AFTER)
    other = "01/05/2026 00:00:00 - 01/05/2026 23:59:59"
    put(tmp_path, "b.csv", SalesReport(range=other).text(), AFTER)
    assert [] == pages(tmp_path)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (
            SalesReport(range="01/05/2026 00:00:00 - 07/05/2026 23:59:59"),
            "covers 2026-05-01 to 2026-05-07",
        ),
        (SalesReport(range="02/05/2026 08:00:00 - 02/05/2026 23:59:59"), "a part of the day"),
        (SalesReport(store_name="Teh House Ktong"), "Is it 'Teh House Katong'?"),
        (SalesReport(products=(("Teh", "Tea", "899.99"),)), "0.01 SGD apart"),
        (SalesReport().changed(Total_Sales="n/a"), "not an amount"),
        (SalesReport(order=("credit",)), "not a Sales report"),
    ],
)
def test_what_cannot_be_taken_over_is_refused(
    tmp_path: Path, report: SalesReport, words: str
) -> None:
    """A reason, and no part of the day."""
    put(tmp_path, "r.csv", report.text(), AFTER)
    assert words in refused(tmp_path)


def test_a_store_with_a_cutoff_is_refused(tmp_path: Path) -> None:
    """Its day cannot be made of calendar days."""
    put(tmp_path, "r.csv", SalesReport().text(), AFTER)
    assert "from midnight to midnight" in refused(tmp_path, replace(KATONG, cutoff=dt.time(4)))


def test_an_early_file_waits_unless_allowed(tmp_path: Path) -> None:
    """A store that closes at ten may allow it."""
    put(tmp_path, "r.csv", SalesReport().text(), AFTER - 2 * HOUR)
    assert "before 2026-05-02 was over" in refused(tmp_path)
    assert [("REPORT-2026-05-02", False)] == receipts(pages(tmp_path, is_early_allowed=True))


def test_the_newest_report_counts_even_if_it_is_wrong(tmp_path: Path) -> None:
    """Somebody corrected the day; going back to the first would hide that."""
    put(tmp_path, "z.csv", SalesReport().text(), AFTER)
    put(tmp_path, "a.csv", SalesReport(settlement="1.00").text(), AFTER + HOUR)
    assert "come to 1040.60 SGD" in rejects(pages(tmp_path))[0].reason
    assert [] == receipts(pages(tmp_path))


def test_an_export_is_its_receipts(tmp_path: Path) -> None:
    """All of the day's, in the place of a report's that was there first."""
    put(tmp_path, "d.xlsx", details([SoldItem(total="6.54", tax="0.54")] * 2), AFTER)
    found = pages(tmp_path)
    assert [("0205202609301001", False)] == receipts(found)
    assert (("qashier", (StoreDay(DATE, "K1"),)),) == tuple(
        (page.origin, page.whole_days) for page in found
    )
    assert [1, 2] == found[0].batch.lines["line_no"].to_list()


def test_an_export_and_a_report_that_differ_hold_the_day(tmp_path: Path) -> None:
    """3.27 against 1040.60."""
    put(tmp_path, "d.xlsx", details([SoldItem()]), AFTER)
    put(tmp_path, "r.csv", SalesReport().text(), AFTER)
    found = pages(tmp_path)
    assert ([], ()) == (receipts(found), found[0].whole_days)
    reject = rejects(found)[0]
    assert "come to 3.27 SGD, the Sales report" in reject.reason
    midnight = dt.datetime(2026, 5, 1, 16, tzinfo=dt.UTC)
    day = Reach(frozenset(["K1"]), midnight, midnight + 24 * HOUR - dt.timedelta(microseconds=1))
    assert day == reject.reach


def test_of_two_exports_the_newest_tells_of_a_day(tmp_path: Path) -> None:
    """The first knew one receipt of the 2nd, the second export knows that it was voided."""
    later = SoldItem(receipt_id="R3", date="03/05/2026 10:00:00")
    put(tmp_path, "z.xlsx", details([SoldItem()]), AFTER)
    put(tmp_path, "a.xlsx", details([SoldItem(voided="Yes"), later]), AFTER + 24 * HOUR)
    found = receipts(pages(tmp_path, last=DATE + dt.timedelta(days=1)))
    assert ("0205202609301001", True) in found
    assert 2 == len(found)


def test_a_newer_export_that_lost_receipts_holds_the_day(tmp_path: Path) -> None:
    """It was filtered, perhaps; receipts never vanish."""
    other = SoldItem(receipt_id="R2", date="02/05/2026 10:00:00")
    put(tmp_path, "z.xlsx", details([SoldItem(), other]), AFTER)
    put(tmp_path, "a.xlsx", details([SoldItem()]), AFTER + HOUR)
    assert "1 receipt of store K1 is missing that stands in" in refused(tmp_path)


def test_what_was_lost_once_stays_lost(tmp_path: Path) -> None:
    """The same filter again does not make the first loss right; the whole export does."""
    other = SoldItem(receipt_id="R2", date="02/05/2026 10:00:00")
    put(tmp_path, "a.xlsx", details([SoldItem(), other]), AFTER)
    put(tmp_path, "b.xlsx", details([SoldItem()]), AFTER + HOUR)
    put(tmp_path, "c.xlsx", details([SoldItem()], preamble=3), AFTER + 2 * HOUR)
    said = refused(tmp_path)
    assert "1 receipt of store K1 is missing that stands in" in said
    assert "a.xlsx, which is older" in said
    put(tmp_path, "d.xlsx", details([SoldItem(), other], preamble=4), AFTER + 3 * HOUR)
    assert 2 == len(receipts(pages(tmp_path)))


@pytest.mark.parametrize(
    "newer",
    [
        SalesReport().text().replace('"Credit Information"', '"Sales Information"'),
        SalesReport(range="02/05/2026 00:00:00 - 02/05/2026 22:59:59").text(),
        SalesReport().text()[:70],
        SalesReport().text() + '\n"' + "x" * 200_000,
    ],
)
def test_a_newer_report_that_cannot_be_used_holds_its_day(tmp_path: Path, newer: str) -> None:
    """Its first rows say which day that is; the older report is not used in its place."""
    put(tmp_path, "z.csv", SalesReport().text(), AFTER)
    put(tmp_path, "a.csv", newer, AFTER + HOUR)
    found = pages(tmp_path)
    assert [] == receipts(found)
    assert [frozenset(["K1"])] == [one.reach.store_ids for one in rejects(found)]


def test_a_row_of_any_day_holds_the_days_of_its_export(tmp_path: Path) -> None:
    """The older export does not take its place either."""
    strange = SoldItem(receipt_id="R9", store_name="")
    put(tmp_path, "z.xlsx", details([SoldItem()]), AFTER)
    put(tmp_path, "a.xlsx", details([SoldItem(), strange]), AFTER + HOUR)
    found = pages(tmp_path)
    assert [] == receipts(found)
    assert [(5, frozenset(["K1"]))] == [
        (one.row_number, one.reach.store_ids) for one in rejects(found)
    ]


def test_an_export_of_no_readable_day_is_named(tmp_path: Path) -> None:
    """It holds none, since nobody knows which."""
    put(tmp_path, "a.xlsx", details([SoldItem(date="today")]), AFTER)
    assert "is not a date and time" in refused(tmp_path)
    assert NO_DAY == rejects(pages(tmp_path))[0].reach


def test_a_bad_file_leaves_the_others(tmp_path: Path) -> None:
    """Each is named once."""
    put(tmp_path, "a.xlsx", b"PK\x03\x04 nonsense", AFTER)
    put(tmp_path, "b.csv", b"\x00\xff\x00", AFTER)
    put(tmp_path, "c.csv", "", AFTER)
    put(tmp_path, "d.csv", SalesReport().text(), AFTER)
    found = pages(tmp_path)
    assert [("REPORT-2026-05-02", False)] == receipts(found)
    assert ["a.xlsx", "b.csv", "c.csv"] == sorted(
        reject.url.rsplit("/", 1)[-1] for reject in rejects(found)
    )


NOTHING = replace(
    SalesReport(categories=(), products=(), tenders={}, settlement="0.00"),
    sales=dict.fromkeys(SalesReport().sales, "0.00"),
)


def test_a_refused_newer_export_says_that_older_files_count(tmp_path: Path) -> None:
    """Nobody knows its days, so it holds none; but the older file is not used in silence."""
    put(tmp_path, "z.xlsx", details([SoldItem()]), AFTER)
    put(tmp_path, "a.xlsx", b"PK\x03\x04 nonsense", AFTER + HOUR)
    found = pages(tmp_path)
    assert [("0205202609301001", False)] == receipts(found)
    (reject,) = rejects(found)
    assert reject.reason.endswith("taken from the files that are older.")
    put(tmp_path, "z.xlsx", details([SoldItem()]), AFTER + 2 * HOUR)
    assert not rejects(pages(tmp_path))[0].reason.endswith("taken from the files that are older.")


def test_a_newer_report_of_nothing_does_not_empty_a_day(tmp_path: Path) -> None:
    """A report of zeros adds up whatever was sold; only taking the older one away says it is so."""
    put(tmp_path, "a.csv", SalesReport().text(), AFTER)
    put(tmp_path, "b.csv", NOTHING.text(), AFTER + HOUR)
    assert "a.csv, which is older, has sales of the day" in refused(tmp_path)
    put(tmp_path, "c.csv", NOTHING.text() + "\n", AFTER + 2 * HOUR)
    assert "a.csv, which is older, has sales of the day" in refused(tmp_path)
    put(tmp_path, "d.csv", SalesReport().text() + "\n", AFTER + 3 * HOUR)
    assert [("REPORT-2026-05-02", False)] == receipts(pages(tmp_path))
    for name in ("a.csv", "d.csv"):
        (tmp_path / name).unlink()
    found = pages(tmp_path)
    assert ([("REPORT-2026-05-02", False)], 0) == (receipts(found), len(found[0].batch.lines))


def test_an_export_of_nothing_but_voids_confirms_a_report_of_nothing(tmp_path: Path) -> None:
    """Everything was voided: with the export beside the report, the day is empty indeed."""
    put(tmp_path, "a.csv", SalesReport().text(), AFTER)
    put(tmp_path, "b.csv", NOTHING.text(), AFTER + HOUR)
    put(tmp_path, "b.xlsx", details([SoldItem(voided="Yes")]), AFTER + HOUR)
    assert [("0205202609301001", True)] == receipts(pages(tmp_path))
    put(tmp_path, "b.xlsx", details([SoldItem()]), AFTER + HOUR)
    assert "come to 3.27 SGD, the Sales report" in rejects(pages(tmp_path))[0].reason


def test_a_third_report_as_old_as_two_that_differ_decides_nothing(tmp_path: Path) -> None:
    """It says what one of them says; the other may be the newer one all the same."""
    put(tmp_path, "a.csv", SalesReport(tenders={"Cash": "1040.60"}).text(), AFTER)
    put(tmp_path, "b.csv", SalesReport().text(), AFTER)
    put(tmp_path, "c.csv", SalesReport().text() + "\n", AFTER)
    assert "It is as old as" in refused(tmp_path)


def test_two_reports_as_old_as_each_other_hold_the_day(tmp_path: Path) -> None:
    """Their names do not say which is newer; one that says the same in other bytes is no matter."""
    put(tmp_path, "report.csv", SalesReport().text(), AFTER)
    put(tmp_path, "report (2).csv", SalesReport().text() + "\n", AFTER)
    assert [("REPORT-2026-05-02", False)] == receipts(pages(tmp_path))
    put(tmp_path, "report (2).csv", SalesReport(tenders={"Cash": "1040.60"}).text(), AFTER)
    assert "It is as old as" in refused(tmp_path)
    put(tmp_path, "report (2).csv", SalesReport(tenders={"Cash": "1040.60"}).text(), AFTER + HOUR)
    assert ["Cash"] == pages(tmp_path)[0].batch.tenders["tender"].to_list()


def test_two_exports_as_old_as_each_other_hold_the_days_they_differ_in(tmp_path: Path) -> None:
    """The 2nd is told differently, the 3rd alike."""
    later = SoldItem(receipt_id="R3", date="03/05/2026 10:00:00")
    put(tmp_path, "a.xlsx", details([SoldItem(), later]), AFTER + 24 * HOUR)
    put(tmp_path, "b.xlsx", details([later, SoldItem(voided="Yes")]), AFTER + 24 * HOUR)
    found = pages(tmp_path, last=DATE + dt.timedelta(days=1))
    assert [("R3", False)] == receipts(found)
    (reject,) = rejects(found)
    assert "It is as old as" in reject.reason
    again = details([later, SoldItem(voided="Yes")], preamble=4)
    put(tmp_path, "c.xlsx", again, AFTER + 24 * HOUR)
    assert "It is as old as" in rejects(pages(tmp_path))[0].reason
    put(tmp_path, "c.xlsx", again, AFTER + 25 * HOUR)
    assert [("0205202609301001", True)] == receipts(pages(tmp_path))


@pytest.mark.parametrize("content", [None, "another"])
@pytest.mark.parametrize("is_export", [True, False])
def test_a_file_that_goes_away_while_it_is_read_stops_the_extract(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    is_export: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Without it an older file would count; the next run sees what is there then."""
    name, whole = (
        ("d.xlsx", details([SoldItem()])) if is_export else ("d.csv", SalesReport().text())
    )
    path = put(tmp_path, name, whole, AFTER)

    def came(url: str, since_at: dt.datetime) -> Iterator[object]:
        yield from list(arrivals(url, since_at))
        path.unlink() if content is None else path.write_text(content)

    monkeypatch.setattr(qashier_source, "arrivals", came)
    with pytest.raises(InputError, match=r"was taken away or changed while it was read") as caught:
        pages(tmp_path)
    assert not isinstance(caught.value, Misfit)


def test_pages_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many days are several pages."""
    monkeypatch.setattr(qashier_source, "_PAGE_RECEIPTS", 2)
    for day in range(2, 7):
        text = SalesReport(range=f"0{day}/05/2026 00:00:00 - 0{day}/05/2026 23:59:59").text()
        put(tmp_path, f"{day}.csv", text, AFTER + 24 * day * HOUR)
    found = pages(tmp_path, last=dt.date(2026, 5, 6))
    assert [2, 2, 1] == [len(page.batch.receipts) for page in found]
