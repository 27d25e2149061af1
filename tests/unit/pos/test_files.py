"""The files source, from files to pages."""

from __future__ import annotations

import datetime as dt
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from till import DATE, NOON, SINGAPORE, Receipt, batch, write_csv

from daybook.errors import InputError
from daybook.jobs.unreadable_days import UnreadableRows
from daybook.pos.file_blocks import FileReader
from daybook.pos.files import FilesSource
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from daybook.pos.source import Page, Reject
    from daybook.sales.daily_total import DailyTotal

DAY = dt.timedelta(days=1)
BAR = Store("S02", "Bar", "America/New_York", "USD", cutoff=dt.time(4, 0))
MIXED = [
    Receipt("R1", lines=(("Food", "GST", 1000, 90), ("Tea, hot", "Zero", 1, 0))),
    Receipt("R2", is_refund=True, lines=(("Food", "GST", -50, -5),), tenders=(("Cash", -55),)),
    Receipt("R3", is_voided=True, lines=(), tenders=()),
    Receipt("R1", store_id="S02", currency="USD", tenders=(("Visa", 1000), ("Cash", 90))),
]


def pages(
    folder: Path | str,
    *,
    stores: Sequence[Store] = (SINGAPORE,),
    first: dt.date = DATE,
    known_store_ids: Collection[str] | None = None,
    page_receipts: int = 20_000,
) -> list[Page]:
    """What the source gives for a window that ends at the usual date."""
    source = FilesSource(str(folder), page_receipts=page_receipts)
    return list(source.receipts(stores, first, DATE, known_store_ids=known_store_ids))


def totals(found: Sequence[Page], stores: Sequence[Store] = (SINGAPORE,)) -> list[DailyTotal]:
    """The pages' daily totals."""
    return daily_totals(joined([page.batch for page in found]), stores)


def rejects(found: Sequence[Page]) -> list[tuple[str, int, str]]:
    """File, row and column of each reject."""
    return [
        (reject.url.rsplit("/", 1)[-1], reject.row_number, reject.column)
        for page in found
        for reject in page.rejects
    ]


def ids(found: Sequence[Page]) -> list[str]:
    """The receipts that came through."""
    return sorted(name for page in found for name in page.batch.receipts["receipt_id_pos"])


def only_reject(found: Sequence[Page]) -> Reject:
    """The one reject there is."""
    (reject,) = [reject for page in found for reject in page.rejects]
    return reject


def held(found: Sequence[Page]) -> list[StoreDay]:
    """The store-days of the usual date that may lack a receipt."""
    unreadable = UnreadableRows()
    for page in found:
        unreadable.add(page.rejects)
    return list(unreadable.holds([SINGAPORE], DATE, DATE))


def append(folder: Path, table: str, *rows: str) -> None:
    """Add rows to a CSV file."""
    with (folder / f"{table}.csv").open("a") as file:
        file.writelines(f"{row}\n" for row in rows)


def as_parquet(folder: Path) -> None:
    """Turn the CSV files of a folder into Parquet, all text."""
    for path in sorted(folder.glob("*.csv")):
        text = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(path.read_text().split("\n")[0].strip().split(","), "string")
        )
        pq.write_table(
            pyarrow.csv.read_csv(path, convert_options=text), path.with_suffix(".parquet")
        )
        path.unlink()


@pytest.mark.parametrize("is_parquet", [False, True])
def test_files_become_the_receipts_that_were_written(tmp_path: Path, is_parquet: bool) -> None:  # noqa: FBT001 - two formats
    """Sales, refunds, voids, two stores, two currencies: every figure arrives."""
    folder = write_csv(tmp_path, MIXED)
    if is_parquet:
        as_parquet(folder)
    stores = [SINGAPORE, BAR]
    found = pages(folder, stores=stores, first=DATE - DAY)
    assert [] == rejects(found)
    assert daily_totals(batch(MIXED), stores) == totals(found, stores)


def test_a_zip_archive_is_read_through_its_url(tmp_path: Path) -> None:
    """Any place that fsspec reaches will do."""
    folder = write_csv(tmp_path / "files", MIXED[:2])
    with zipfile.ZipFile(tmp_path / "pos.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    found = pages(f"zip://::{tmp_path}/pos.zip")
    assert ["R1", "R2"] == ids(found)


@pytest.mark.parametrize("page_receipts", [1, 3, 100])
def test_the_size_of_a_page_does_not_matter(tmp_path: Path, page_receipts: int) -> None:
    """Rows in any order, in as many pages as they take, give the same totals."""
    receipts = [Receipt(f"R{number}", lines=(("Food", "GST", number, 0),)) for number in range(20)]
    folder = write_csv(tmp_path, receipts)
    for table in ("receipts", "lines", "tenders"):
        header, *rows = (folder / f"{table}.csv").read_text().splitlines()
        (folder / f"{table}.csv").write_text("\n".join([header, *sorted(rows, key=hash), ""]))
    found = pages(folder, page_receipts=page_receipts)
    assert daily_totals(batch(receipts), [SINGAPORE]) == totals(found)
    assert 20 == len(ids(found))
    assert max(len(page.batch.receipts) for page in found) <= max(4 * page_receipts, 8)


def test_only_the_stores_and_dates_asked_for_come_through(tmp_path: Path) -> None:
    """A store's window follows its own clock."""
    receipts = [
        Receipt("before", sold_at=NOON - DAY),
        Receipt("asked"),
        Receipt("after", sold_at=NOON + DAY),
        Receipt("elsewhere", store_id="S02"),
    ]
    found = pages(write_csv(tmp_path, receipts))
    assert ["asked"] == ids(found)
    assert [] == rejects(found)


def test_parts_outside_the_window_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statistics of a Parquet part say enough."""
    for name, sold_at in (("2026-02", NOON - 30 * DAY), ("2026-03", NOON)):
        write_csv(tmp_path / name, [Receipt(name, sold_at=sold_at, updated_at=sold_at)])
        for table in ("receipts", "lines", "tenders"):
            (tmp_path / table).mkdir(exist_ok=True)
            rows = pyarrow.csv.read_csv(tmp_path / name / f"{table}.csv")
            for column in ("amount", "net_amount", "tax_amount"):
                if column in rows.column_names:
                    place = rows.column_names.index(column)
                    rows = rows.set_column(place, column, rows[column].cast("string"))
            pq.write_table(rows, tmp_path / table / f"{name}.parquet")
    read: list[str] = []
    blocks = FileReader.blocks

    def watched(reader: FileReader) -> object:
        read.append(reader.file.part)
        return blocks(reader)

    monkeypatch.setattr(FileReader, "blocks", watched)
    assert ["2026-03"] == ids(pages(tmp_path))
    assert {"2026-03"} == set(read)


def test_a_newer_version_comes_in_another_part(tmp_path: Path) -> None:
    """The newest wins, whichever part is read first."""
    newer = Receipt(updated_at=NOON + DAY, lines=(("Food", "GST", 500, 45),))
    for part, receipt in (("a-corrections", newer), ("b", Receipt())):
        write_csv(tmp_path / part, [receipt])
        for table in ("receipts", "lines", "tenders"):
            (tmp_path / table).mkdir(exist_ok=True)
            (tmp_path / part / f"{table}.csv").rename(tmp_path / table / f"{part}.csv")
    (total,) = totals(pages(tmp_path))
    assert (500, 1) == (total.net_minor, total.receipt_count)


RECEIPT = "S01,bad,2026-03-14T12:00:00+08:00,2026-03-14T12:00:00+08:00,SGD,sale,final"
LINE = "S01,bad,1,Food,GST,10.00,0.90"
TENDER = "S01,bad,1,Cash,10.90"


@pytest.mark.parametrize(
    ("receipt", "line", "tender", "where"),
    [
        (RECEIPT.replace("+08:00", "", 1), LINE, TENDER, ("receipts.csv", 3, "sold_at")),
        (RECEIPT.replace("+08:00,SGD", ",SGD"), LINE, TENDER, ("receipts.csv", 3, "updated_at")),
        (RECEIPT.replace("SGD", "S$"), LINE, TENDER, ("receipts.csv", 3, "currency")),
        (RECEIPT.replace("sale", "return"), LINE, TENDER, ("receipts.csv", 3, "kind")),
        (RECEIPT.replace("final", "open"), LINE, TENDER, ("receipts.csv", 3, "status")),
        (RECEIPT.replace("sale", "refund"), LINE, TENDER, ("receipts.csv", 3, "kind")),
        (
            RECEIPT.replace("SGD", "JPY"),
            LINE.replace(",0.90", ",0.9"),
            TENDER,
            ("lines.csv", 3, "tax_amount"),
        ),
        (RECEIPT, LINE.replace("10.00", "10,00"), TENDER, ("lines.csv", 3, "")),
        (RECEIPT, LINE.replace("10.00", "ten"), TENDER, ("lines.csv", 3, "net_amount")),
        (RECEIPT, LINE.replace("0.90", "0.905"), TENDER, ("lines.csv", 3, "tax_amount")),
        (RECEIPT, LINE.replace("Food", ""), TENDER, ("lines.csv", 3, "category")),
        (RECEIPT, LINE.replace(",1,", ",0,"), TENDER, ("lines.csv", 3, "line_no")),
        (RECEIPT, LINE.replace("bad,1", "bad"), TENDER, ("lines.csv", 3, "")),
        (RECEIPT, LINE, TENDER.replace("10.90", ""), ("tenders.csv", 3, "amount")),
        (RECEIPT, LINE, TENDER.replace("bad", "gone"), ("tenders.csv", 3, "receipt_id_pos")),
        (RECEIPT, LINE.replace("bad", "gone"), TENDER, ("lines.csv", 3, "receipt_id_pos")),
    ],
)
def test_a_receipt_with_a_bad_row_is_left_out_whole(
    tmp_path: Path, receipt: str, line: str, tender: str, where: tuple[str, int, str]
) -> None:
    """Never half a receipt; the reject says file, row, column and reason, the others go on."""
    folder = write_csv(tmp_path, [Receipt("good")])
    append(folder, "receipts", receipt)
    append(folder, "lines", line)
    append(folder, "tenders", tender)
    found = pages(folder)
    assert ["good"] == ids(found)
    assert 1 == len([name for page in found for name in page.batch.lines["line_no"]])
    assert where in rejects(found)


def test_a_reject_of_a_line_names_the_receipt_that_is_left_out(tmp_path: Path) -> None:
    """The person who reads it need not look for it."""
    folder = write_csv(tmp_path, [Receipt()])
    append(folder, "lines", "S01,R1,2,Food,GST,1.005,0.00")
    reject = only_reject(pages(folder))
    assert (
        "'1.005' has more decimals than SGD has (2). Receipt R1 of store S01 is left out."
        == reject.reason
    )
    assert str(folder / "lines.csv") == reject.url


@pytest.mark.parametrize("table", ["lines", "tenders"])
def test_a_position_that_stands_twice_leaves_the_receipt_out(tmp_path: Path, table: str) -> None:
    """A row that was exported twice would be money twice."""
    folder = write_csv(tmp_path, [Receipt()])
    append(folder, table, (folder / f"{table}.csv").read_text().splitlines()[1])
    found = pages(folder)
    assert [] == ids(found)
    assert [(f"{table}.csv", row, f"{table[:-1]}_no") for row in (2, 3)] == rejects(found)


def test_a_receipt_that_stands_twice_in_a_part_is_left_out(tmp_path: Path) -> None:
    """Its lines could not be told apart."""
    found = pages(write_csv(tmp_path, [Receipt(), Receipt(), Receipt("R2")]))
    assert ["R2"] == ids(found)
    assert {("receipts.csv", 2, "receipt_id_pos"), ("receipts.csv", 3, "receipt_id_pos")} <= set(
        rejects(found)
    )


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        (Receipt(lines=()), "It has no lines in"),
        (Receipt(tenders=()), "It has no tenders in"),
    ],
)
def test_a_receipt_that_is_not_whole_is_left_out(
    tmp_path: Path, receipt: Receipt, reason: str
) -> None:
    """A sale needs lines, and tenders if it cost anything."""
    found = pages(write_csv(tmp_path, [receipt]))
    assert [] == ids(found)
    assert reason in only_reject(found).reason


def test_a_sale_that_cost_nothing_needs_no_tender(tmp_path: Path) -> None:
    """A free coffee is a receipt."""
    free = Receipt(lines=(("Coffee", "GST", 0, 0),), tenders=())
    assert ["R1"] == ids(pages(write_csv(tmp_path, [free])))


def test_what_is_wrong_outside_the_window_is_not_said_again(tmp_path: Path) -> None:
    """A run over one date does not repeat the mistakes of the year."""
    folder = write_csv(tmp_path, [Receipt(), Receipt("old", sold_at=NOON - DAY, tenders=())])
    append(folder, "lines", "S01,old,2,Food,GST,x,0.00")
    append(folder, "receipts", RECEIPT.replace("-14", "-13").replace("SGD", "S$"))
    assert [] == rejects(pages(folder))
    assert [("receipts.csv", 4, "currency"), ("lines.csv", 4, "net_amount")] == rejects(
        pages(folder, first=DATE - DAY)
    )


def test_a_store_nobody_knows_is_one_reject(tmp_path: Path) -> None:
    """However many receipts it has; stores that were merely not asked for are none."""
    receipts = [Receipt(), Receipt(store_id="S02"), Receipt(store_id="S99"), Receipt("R2", "S99")]
    folder = write_csv(tmp_path, receipts)
    assert [] == rejects(pages(folder))
    found = pages(folder, known_store_ids=["S01", "S02"])
    assert [("receipts.csv", 4, "store_id")] == rejects(found)
    assert "Store 'S99' is not known to Daybook" in only_reject(found).reason
    assert ["R1"] == ids(found)


def test_a_row_without_a_store_is_a_reject(tmp_path: Path) -> None:
    """It is nobody's, so everybody is told."""
    folder = write_csv(tmp_path, [Receipt()])
    append(folder, "receipts", RECEIPT.replace("S01", ""))
    append(folder, "lines", LINE.replace("S01", ""))
    assert {("receipts.csv", 3, "store_id"), ("lines.csv", 3, "receipt_id_pos")} == set(
        rejects(pages(folder, known_store_ids=["S01"]))
    )


@pytest.mark.parametrize("shifted", [",S01,R2", "S9,S01,R2", "\u200b,S01,R2", "S01;R2"])
def test_a_shifted_row_holds_the_day_whatever_its_store_s_cell_says(
    tmp_path: Path, shifted: str
) -> None:
    """A receipt that went wrong so in all three files would otherwise be gone without a word."""
    folder = write_csv(tmp_path, [Receipt("R1"), Receipt("R2")])
    for path in folder.glob("*.csv"):
        path.write_text(path.read_text().replace("S01,R2", shifted))
    found = pages(folder, known_store_ids=["S01", "S02"])
    assert ["R1"] == ids(found)
    assert {(name, 3, "") for name in ("receipts.csv", "lines.csv", "tenders.csv")} == set(
        rejects(found)
    )
    assert [StoreDay(DATE, "S01")] == held(found)


def test_a_shifted_row_of_a_store_that_is_not_asked_for_is_its_own(tmp_path: Path) -> None:
    """It is said, and holds a day, where its store is asked for."""
    folder = write_csv(tmp_path, [Receipt("R1"), Receipt("R2", "S02")])
    for path in folder.glob("*.csv"):
        path.write_text(path.read_text().replace("S02,R2,", "S02,R2,,"))
    known = ["S01", "S02"]
    assert [] == rejects(pages(folder, known_store_ids=known))
    assert [("receipts.csv", 3, "")] == rejects(
        pages(folder, stores=[replace(SINGAPORE, store_id="S02")], known_store_ids=known)
    )[:1]


def test_a_file_with_a_wrong_header_is_refused(tmp_path: Path) -> None:
    """Before any receipt is read, and with the column's name."""
    folder = write_csv(tmp_path, [Receipt()])
    content = (folder / "tenders.csv").read_text()
    (folder / "tenders.csv").write_text(content.replace("amount", "betrag"))
    with pytest.raises(InputError, match=r"tenders.csv has no column amount or amount_minor"):
        pages(folder)


def test_the_name_of_the_source_hides_its_password() -> None:
    """Logs and tables show it."""
    assert "files at sftp://host/pos" == FilesSource("sftp://till:s3cret@host/pos").name
