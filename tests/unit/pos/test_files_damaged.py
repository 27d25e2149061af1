"""The files source on files that somebody or something has damaged: told, or read as they were."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from till import DATE, NOON, SINGAPORE, Receipt, batch, write_csv

from daybook.errors import InputError
from daybook.jobs.unreadable_days import UnreadableRows
from daybook.pos.file_form import COLUMNS
from daybook.pos.files import FilesSource
from daybook.pos.source import NO_DAY
from daybook.sales.control_totals import control_failures
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from pathlib import Path

    from daybook.pos.file_form import TableName
    from daybook.pos.source import Reject
    from daybook.sales.frames import ReceiptBatch

DAY = dt.timedelta(days=1)
TABLES: tuple[TableName, ...] = ("receipts", "lines", "tenders")
RECEIPTS = [
    Receipt(
        "R1", lines=(("Food", "GST", 1000, 90), ("Tea", "Zero", 310, 0)), tenders=(("V", 1400),)
    ),
    Receipt("R2", tenders=(("Cash", 1000), ("NETS", 90))),
    Receipt("R3", is_refund=True, lines=(("Food", "GST", -50, -5),), tenders=(("Cash", -55),)),
]
Receipts = dict[str, tuple[set[tuple[object, ...]], set[tuple[object, ...]]]]


def read(folder: Path) -> tuple[ReceiptBatch, list[Reject]]:
    """The receipts and rejects of the usual day."""
    source = FilesSource(str(folder))
    pages = list(source.receipts([SINGAPORE], DATE, DATE, known_store_ids=["S01"]))
    rejects = [reject for page in pages for reject in page.rejects]
    return joined([page.batch for page in pages]), rejects


def by_receipt(found: ReceiptBatch) -> Receipts:
    """Lines and tenders of each receipt."""
    ids = dict(zip(found.receipts["receipt_key"], found.receipts["receipt_id_pos"], strict=True))
    result: Receipts = {name: (set(), set()) for name in ids.values()}
    for place, rows in enumerate((found.lines, found.tenders)):
        for key, *cells in rows.itertuples(index=False, name=None):
            result[ids[key]][place].add(tuple(cells))
    return result


WHOLE = by_receipt(batch(RECEIPTS))


def is_told(folder: Path) -> bool:
    """Whether a damage is told in some way; if not, every receipt that came is as it was."""
    try:
        found, rejects = read(folder)
    except InputError:
        return True
    if rejects or control_failures(found, [SINGAPORE], daily_totals(found, [SINGAPORE])):
        return True
    assert by_receipt(found).items() <= WHOLE.items()
    return False


@pytest.mark.parametrize("table", TABLES)
def test_a_file_cut_off_anywhere_never_gives_half_a_receipt(tmp_path: Path, table: str) -> None:
    """An upload that broke off is told, unless nothing but the last line end is gone."""
    path = write_csv(tmp_path, RECEIPTS) / f"{table}.csv"
    content = path.read_bytes()
    silent = []
    ends = [place for place, byte in enumerate(content) if byte == ord("\n")]
    for size in {0, 1, *ends, *(end + 1 for end in ends[:-1]), *range(ends[-2], len(content))}:
        path.write_bytes(content[:size])
        if not is_told(tmp_path):
            silent.append(content[size:])
    # A last zero says nothing in 0.90; whoever wrote it wrote the same amount.
    assert {b"\n", b"\r\n", b"0\r\n"} >= set(silent)


@pytest.mark.parametrize("table", TABLES)
def test_bytes_that_changed_never_crash_it(tmp_path: Path, table: TableName) -> None:
    """Whatever a bad disk or a bad editor makes of a file: a sentence, rejects or receipts."""
    path = write_csv(tmp_path, RECEIPTS) / f"{table}.csv"
    content = path.read_bytes()
    chance = random.Random(table)  # noqa: S311 - the same damage each time
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(damaged))
            odd = chance.choice(
                [b"\0", b'"', b",", b"\n", b"\r", b"\xff", b"\xc3", b"=", b"9" * 40]
            )
            damaged[start : start + chance.randint(0, 3)] = odd
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            found, _ = read(tmp_path)
            keys = set(found.receipts["receipt_key"])
            assert keys >= set(found.lines["receipt_key"]) | set(found.tenders["receipt_key"])


SWAPPED = [
    (table, first.name, second.name)
    for table in TABLES
    for first, second in combinations(COLUMNS[table], 2)
    if first.kind != second.kind or first.name in {"store_id", "currency", "kind", "status"}
    if first.is_required and second.is_required
]


@pytest.mark.parametrize(("table", "first", "second"), SWAPPED)
def test_columns_with_each_others_cells_are_told(
    tmp_path: Path, table: str, first: str, second: str
) -> None:
    """The headings stayed, the cells moved; only alike columns can trade places unseen."""
    path = write_csv(tmp_path, RECEIPTS) / f"{table}.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    a, b = rows[0].index(first), rows[0].index(second)
    for row in rows[1:]:
        row[a], row[b] = row[b], row[a]
    path.write_text("\n".join(map(",".join, rows)) + "\n")
    assert is_told(tmp_path)


@pytest.mark.parametrize("table", TABLES)
def test_columns_in_another_order_are_no_damage(tmp_path: Path, table: str) -> None:
    """Headings and cells moved together."""
    path = write_csv(tmp_path, RECEIPTS) / f"{table}.csv"
    rows = [line.split(",")[::-1] for line in path.read_text().splitlines()]
    path.write_text("\n".join(map(",".join, rows)) + "\n")
    found, rejects = read(tmp_path)
    assert ([], WHOLE) == (rejects, by_receipt(found))


FORMULA = '=HYPERLINK("http://x.example")'


@pytest.mark.parametrize("text", [FORMULA, "+1+1", "-2+3", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0"])
def test_a_formula_in_a_name_is_a_name_and_in_an_amount_a_reject(tmp_path: Path, text: str) -> None:
    """Nothing runs it; the text arrives as it stood in the file, for the mapping to refuse."""
    folder = write_csv(tmp_path, [Receipt(lines=((text, "GST", 1000, 90),))])
    found, rejects = read(folder)
    assert ([text.strip()], []) == (found.lines["category"].to_list(), rejects)
    path = folder / "lines.csv"
    quoted = '"' + text.replace('"', '""') + '"'
    path.write_text(path.read_text().replace("10.00", quoted))
    found, (reject,) = read(folder)
    assert (0, "net_amount") == (len(found.receipts), reject.column)


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column.name) for table in TABLES for column in COLUMNS[table] if column.is_required],
)
def test_a_nul_anywhere_is_told(tmp_path: Path, table: str, column: str) -> None:
    """The ledger cannot hold one, and no till means one."""
    path = write_csv(tmp_path, RECEIPTS) / f"{table}.csv"
    header, first, *others = path.read_text().splitlines()
    cells = first.split(",")
    place = header.split(",").index(column)
    cells[place] = cells[place][:1] + "\0" + cells[place][1:]
    path.write_text("\n".join([header, ",".join(cells), *others, ""]))
    assert is_told(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_another_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    """Before any receipt is read out of it."""
    for path in write_csv(tmp_path, RECEIPTS).iterdir():
        path.write_bytes(path.read_text().encode(encoding))
    with pytest.raises(InputError, match=r"is not UTF-8 text|has no column store_id"):
        read(tmp_path)


def test_very_many_bad_rows_are_counted_not_kept(tmp_path: Path) -> None:
    """A person reads a few; the good receipts beside them come through."""
    folder = write_csv(tmp_path, RECEIPTS)
    with (folder / "lines.csv").open("a") as file:
        file.write("S01,gone,1,Food,GST,1.00,0.00\n" * 5000)
    found, rejects = read(folder)
    assert WHOLE == by_receipt(found)
    assert 1001 == len(rejects)
    assert "4000 more rows like these cannot be used; their receipts are left out." == (
        rejects[-1].reason
    )


def test_a_file_of_rows_of_another_width_is_refused(tmp_path: Path) -> None:
    """After some thousand it is plain that it is another file."""
    folder = write_csv(tmp_path, RECEIPTS)
    with (folder / "lines.csv").open("a") as file:
        file.write("S01,R1\n" * 10_001)
    with pytest.raises(InputError, match=r"lines.csv cannot be read: CSV parse error"):
        read(folder)


def test_a_file_of_another_chains_stores_is_told_in_bounds(tmp_path: Path) -> None:
    """A thousand unknown stores are enough to see it; how many more there are is said."""
    strangers = [Receipt(store_id=f"Z{number}") for number in range(1500)]
    found, rejects = read(write_csv(tmp_path, [*RECEIPTS, *strangers]))
    assert (WHOLE, 1001) == (by_receipt(found), len(rejects))
    assert "500 more rows are of other stores that are not known" in rejects[-1].reason
    assert {NO_DAY} == {reject.reach for reject in rejects}


BAR = Store("S02", "Bar", "Asia/Singapore", "SGD")
DAY_OF_BOTH = [StoreDay(DATE, "S01"), StoreDay(DATE, "S02")]


def held(folder: Path) -> tuple[list[StoreDay], list[Reject]]:
    """The days of two stores that wait for the file, and why."""
    source = FilesSource(str(folder))
    found = source.receipts([SINGAPORE, BAR], DATE, DATE, known_store_ids=["S01", "S02"])
    rejects = [reject for page in found for reject in page.rejects]
    unreadable = UnreadableRows()
    unreadable.add(rejects)
    return list(unreadable.holds([SINGAPORE, BAR], DATE, DATE)), rejects


def shifted(folder: Path, receipt: Receipt, *places: int) -> None:
    """Write the one receipt with the cells of its row in these places."""
    path = write_csv(folder, [receipt]) / "receipts.csv"
    header, row = path.read_text().splitlines()
    cells = row.split(",")
    path.write_text(f"{header}\n{','.join(cells[place] for place in places)}\n")


@pytest.mark.parametrize(
    "places", [(1, 2, 3, 4, 5, 6, 6), (1, 2, 3, 4, 5, 6, 0), (6, 0, 1, 2, 3, 4, 5)]
)
def test_a_shifted_receipt_that_stands_alone_holds_every_store(
    tmp_path: Path, places: tuple[int, ...]
) -> None:
    """Its store's cell holds something else, and no other row says whose file it is."""
    shifted(tmp_path, Receipt(), *places)
    days, rejects = held(tmp_path)
    assert DAY_OF_BOTH == days
    assert any("The cells may stand in the wrong columns" in one.reason for one in rejects)


def test_a_receipt_with_its_id_in_the_stores_column_holds_its_stores_day(tmp_path: Path) -> None:
    """All else can be read; its lines and tenders say which store it is of."""
    shifted(tmp_path, Receipt(), 1, 0, 2, 3, 4, 5, 6)
    days, _ = held(tmp_path)
    assert [StoreDay(DATE, "S01")] == days


def test_a_row_of_another_width_without_its_store_holds_the_stores_of_other_files_too(
    tmp_path: Path,
) -> None:
    """The file has only one store, but the torn row may be of the other one."""
    path = write_csv(tmp_path, [Receipt()]) / "receipts.csv"
    with path.open("a") as file:
        file.write("R9,2026-03-14T04:00:00Z,SGD\n")
    days, rejects = held(tmp_path)
    assert DAY_OF_BOTH == days
    assert "Its store cannot be told, so all stores wait on the dates of the file." in (
        rejects[-1].reason
    )


def test_a_store_that_was_not_loaded_holds_no_other(tmp_path: Path) -> None:
    """Every cell of its row can be read: it is a new store, named once, not a shifted row."""
    folder = write_csv(tmp_path, [Receipt(), Receipt("R2", store_id="NEW")])
    days, (reject,) = held(folder)
    assert ([], NO_DAY) == (days, reject.reach)


def test_a_bad_row_of_a_store_that_was_not_loaded_holds_no_other(tmp_path: Path) -> None:
    """Another row names the same store and can be read, so its cells are where they belong."""
    new = [Receipt("R2", store_id="NEW"), Receipt("R3", store_id="NEW", currency="dollars")]
    days, rejects = held(write_csv(tmp_path, [Receipt(), *new]))
    assert ([], [NO_DAY, NO_DAY]) == (days, [one.reach for one in rejects])


def test_a_row_without_its_store_holds_its_own_date_in_every_store(tmp_path: Path) -> None:
    """Its time can be read, so other dates of the file are as they were."""
    folder = write_csv(tmp_path, [Receipt(), Receipt("R2", store_id="")])
    days, rejects = held(folder)
    assert DAY_OF_BOTH == days
    assert [(NOON, NOON)] == [
        (one.reach.first_at, one.reach.last_at) for one in rejects if one.reason.startswith("It is")
    ]


def test_a_misspelt_store_on_lines_and_tenders_holds_every_store(tmp_path: Path) -> None:
    """What is left of the receipt may balance without them, so they may not be passed over."""
    folder = write_csv(tmp_path, RECEIPTS)
    for table in ("lines", "tenders"):
        path = folder / f"{table}.csv"
        path.write_text(path.read_text().replace("S01,R2,1,", "SO1,R2,1,"))
    days, rejects = held(folder)
    assert DAY_OF_BOTH == days
    assert any("It has no receipt in" in one.reason for one in rejects)


def test_very_many_shifted_rows_are_counted_and_hold_as_far_as_all(tmp_path: Path) -> None:
    """The days of those not listed wait too."""
    early = Receipt(store_id="", sold_at=NOON - 3 * DAY, updated_at=NOON)
    nobodys = [Receipt(f"N{number}", store_id="") for number in range(1000)]
    _, rejects = held(write_csv(tmp_path, [Receipt("R0"), *nobodys, early, Receipt("N", "")]))
    more = next(one for one in rejects if one.reason.startswith("2 more rows have no store"))
    assert (NOON - 3 * DAY, NOON) == (more.reach.first_at, more.reach.last_at)
