"""Whole days written down as tables: what the till recorded, and what must come of it.

A case is a Markdown file: a title that names the trap, a note that works the figures out by hand,
then sections with one table each, or the word `None.`. A column left out has its default: the
first store's id, date and currency, kind `sale`, status `final`, nothing refunded or voided.
Amounts are written with all decimals of their currency. Versions of one receipt are told apart by
a suffix (`R1#2`). A receipt with `2` under `read` is only there when the day is read again, after
the documents of the first reading have been posted.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from till import Receipt, batch
from worked_note import faults_of

from daybook.money import amount_from_minor, minor_from_amount, parse_minor
from daybook.posting.control_holds import hold_of
from daybook.posting.documents import Document, Payment, SalesDocument
from daybook.posting.mapping import Mapping, TaxRule, parse_mapping
from daybook.posting.plan import plan_documents
from daybook.posting.revisions import Filed, revise
from daybook.sales.control_totals import control_failures
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from decimal import Decimal

    from daybook.posting.holds import Hold
    from daybook.sales.daily_total import DailyTotal

GOLDEN: Final = Path(__file__).parent.parent / "golden"
AGAIN: Final = " (read again)"
_PLACE: Final = ("store", "date", "currency")

Row = dict[str, str]

# Per section: the columns it must have, and those it may leave out with their defaults.
_GIVEN: Final[dict[str, tuple[tuple[str, ...], Row]]] = {
    "Store": (("store", "zone", "currency", "date"), {"cut-off": "00:00"}),
    "Mapping": (("part", "key", "value"), {}),
    "Receipts": (
        ("receipt", "sold at"),
        {
            "kind": "sale",
            "status": "final",
            "updated": "",
            "read": "1",
            "store": "",
            "currency": "",
        },
    ),
    "Lines": (("receipt", "category", "tax code", "net", "tax"), {}),
    "Tenders": (("receipt", "tender", "amount"), {}),
}
_EXPECTED: Final[dict[str, tuple[tuple[str, ...], Row]]] = {
    "Daily total": (
        ("receipts", "net", "tax", "paid"),
        {"refunds": "0", "voided": "0"} | dict.fromkeys(_PLACE, ""),
    ),
    "Categories": (
        ("category", "tax code", "net", "tax", "lines"),
        {"kind": "sale"} | dict.fromkeys(_PLACE, ""),
    ),
    "Tender totals": (
        ("tender", "amount", "count"),
        {"kind": "sale"} | dict.fromkeys(_PLACE, ""),
    ),
    "Documents": (("number", "kind", "account", "tax type", "net", "tax"), {"currency": ""}),
    "Payments": (("number", "tender", "account", "amount"), {"currency": ""}),
    "Holds": (("hold", "key", "says"), {"store": "", "date": ""}),
}
_SECTIONS: Final = _GIVEN | _EXPECTED | {name + AGAIN: it for name, it in _EXPECTED.items()}
_OPTIONAL: Final = {"Mapping"}


class CaseError(ValueError):
    """A case is not written as it should be."""


@dataclass(frozen=True)
class GoldenDay:
    """One case: its words, what is given, and the tables that are expected."""

    title: str
    note: str
    stores: tuple[Store, ...]
    mapping: Mapping
    readings: tuple[tuple[Receipt, ...], ...]
    expected: dict[str, list[Row]]


def case_files() -> list[Path]:
    """Every case, by name."""
    return sorted(GOLDEN.glob("*.md"))


def read_case(text: str) -> GoldenDay:
    """The case that the text says; anything odd in it is an error."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, note = head.partition("\n")
    if not re.fullmatch(r"# .+ \(traps? [0-9]+(, [0-9]+)*\)", title):
        raise CaseError(f"the title '{title}' does not name its trap, as in '# Late sale (trap 1)'")
    tables: dict[str, list[Row]] = {}
    for part in parts:
        name, _, body = part.partition("\n")
        if name not in _SECTIONS or name in tables:
            raise CaseError(f"section '{name}' is unknown or there twice")
        tables[name] = _table(name, body)
    missing = [name for name in (_GIVEN | _EXPECTED) if name not in tables]
    if set(missing) - _OPTIONAL:
        raise CaseError(f"sections are missing: {', '.join(missing)}")
    first = tables["Store"][0]
    defaults = {name: first[name] for name in _PLACE}
    readings = _readings(tables, defaults)
    if (len(readings) > 1) != ("Documents" + AGAIN in tables):
        raise CaseError(f"a second reading has sections '{AGAIN.strip()}', and only that")
    case = GoldenDay(
        title=title.removeprefix("# "),
        note=" ".join(note.split()),
        stores=tuple(_store(row) for row in tables["Store"]),
        mapping=_mapping(tables.get("Mapping", [])),
        readings=readings,
        expected={
            name: [_with_defaults(row, defaults) for row in rows]
            for name, rows in tables.items()
            if name not in _GIVEN
        },
    )
    _check_note(case)
    return case


def outcome(case: GoldenDay) -> dict[str, list[Row]]:
    """What the library makes of the case, as the tables the case expects."""
    posted: dict[StoreDay, list[Filed]] = {}
    tables: dict[str, list[Row]] = {}
    for number, receipts in enumerate(case.readings):
        tables |= _reading(case, receipts, posted, suffix=AGAIN if number else "")
    fragments = {name: rows for name, rows in case.expected.items() if name.startswith("Holds")}
    for name, rows in fragments.items():
        for wanted, found in zip(rows, tables[name], strict=False):
            # A case quotes the part of the sentence that matters.
            if wanted["says"] and wanted["says"] in found["says"]:
                found["says"] = wanted["says"]
    return {name: tables[name] for name in case.expected}


def _reading(
    case: GoldenDay, receipts: tuple[Receipt, ...], posted: dict[StoreDay, list[Filed]], suffix: str
) -> dict[str, list[Row]]:
    frames = batch(receipts)
    totals = daily_totals(frames, case.stores)
    failures = control_failures(frames, case.stores, totals)
    documents: list[Document] = []
    holds: list[Row] = []
    for day in sorted({StoreDay(one.business_date, one.store_id) for one in totals}):
        wanted, day_holds = _planned(
            case,
            [one for one in totals if StoreDay(one.business_date, one.store_id) == day],
            [hold_of(one) for one in failures if one.store_day == day],
        )
        holds += [_hold_row(day, hold) for hold in day_holds]
        if day in posted and not day_holds:
            ids = dict.fromkeys((one.currency for one in totals), 2)
            wanted = list(revise(posted[day], wanted, ids).write)
        posted.setdefault(day, [Filed(one, is_sent=True, daily_total_id=1) for one in wanted])
        documents += wanted
    tables = {
        "Daily total": [_total_row(one) for one in totals],
        "Categories": [row for one in totals for row in _category_rows(one)],
        "Tender totals": [row for one in totals for row in _tender_rows(one)],
        "Documents": [row for one in documents for row in _line_rows(one)],
        "Payments": _payment_rows(documents),
        "Holds": holds,
    }
    return {name + suffix: rows for name, rows in tables.items()}


def _planned(
    case: GoldenDay, totals: list[DailyTotal], failed: list[Hold]
) -> tuple[list[Document], list[Hold]]:
    """One store-day's documents over its currencies, or what holds all of it."""
    stores = {store.store_id: store for store in case.stores}
    plans = [
        plan_documents(one, store=stores[one.store_id], mapping=case.mapping, prefix="DB")
        for one in totals
    ]
    holds = failed or [hold for one in plans for hold in one.holds]
    return ([] if holds else [document for one in plans for document in one.documents]), holds


def _place(total: DailyTotal) -> Row:
    return {
        "store": total.store_id,
        "date": total.business_date.isoformat(),
        "currency": total.currency,
    }


def _total_row(total: DailyTotal) -> Row:
    return _place(total) | {
        "receipts": str(total.receipt_count),
        "refunds": str(total.refund_count),
        "voided": str(total.voided_count),
        "net": _text(total.net_minor, total.currency),
        "tax": _text(total.tax_minor, total.currency),
        "paid": _text(total.tender_minor, total.currency),
    }


def _category_rows(total: DailyTotal) -> list[Row]:
    return [
        _place(total)
        | {
            "category": one.category,
            "tax code": one.tax_code,
            "kind": "refund" if one.is_refund else "sale",
            "net": _text(one.net_minor, total.currency),
            "tax": _text(one.tax_minor, total.currency),
            "lines": str(one.line_count),
        }
        for one in total.categories
    ]


def _tender_rows(total: DailyTotal) -> list[Row]:
    return [
        _place(total)
        | {
            "tender": one.tender,
            "kind": "refund" if one.is_refund else "sale",
            "amount": _text(one.amount_minor, total.currency),
            "count": str(one.tender_count),
        }
        for one in total.tenders
    ]


def _line_rows(document: Document) -> list[Row]:
    if not isinstance(document, SalesDocument):
        return []
    return [
        {
            "number": document.number,
            "kind": document.kind.replace("_", " "),
            "account": line.account_code,
            "tax type": line.tax_type,
            "net": _exact(line.net_amount, document.currency),
            "tax": _exact(line.tax_amount, document.currency),
            "currency": document.currency,
        }
        for line in document.lines
    ]


def _payment_rows(documents: list[Document]) -> list[Row]:
    return [
        {
            "number": one.reference.removesuffix(f" {one.tender}"),
            "tender": one.tender,
            "account": one.account_code,
            "amount": _exact(one.amount, one.currency),
            "currency": one.currency,
        }
        for one in documents
        if isinstance(one, Payment)
    ]


def _hold_row(day: StoreDay, hold: Hold) -> Row:
    return {
        "store": day.store_id,
        "date": day.business_date.isoformat(),
        "hold": hold.code,
        "key": hold.key,
        "says": hold.sentence,
    }


def _text(minor: int, currency: str) -> str:
    return str(amount_from_minor(minor, currency))


def _exact(amount: Decimal, currency: str) -> str:
    return _text(minor_from_amount(amount, currency), currency)


def _table(name: str, body: str) -> list[Row]:
    """The rows of a section, with the defaults of columns that are left out."""
    lines = [line.strip() for line in body.strip().splitlines()]
    if lines == ["None."]:
        return []
    if len(lines) < 3 or not all(line.startswith("|") and line.endswith("|") for line in lines):
        raise CaseError(f"section '{name}' is neither one table nor 'None.'")
    header, _rule, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    required, optional = _SECTIONS[name]
    if set(header) - {*required, *optional} or set(required) - set(header):
        raise CaseError(f"section '{name}' has the columns {header}, not {[*required, *optional]}")
    if any(len(row) != len(header) for row in rows):
        raise CaseError(f"section '{name}' has a row that is not as long as its header")
    return [optional | dict(zip(header, row, strict=True)) for row in rows]


def _with_defaults(row: Row, defaults: Row) -> Row:
    return {name: text or defaults.get(name, "") for name, text in row.items()}


def _store(row: Row) -> Store:
    return Store(
        store_id=row["store"],
        name=f"Shop {row['store']}",
        time_zone=row["zone"],
        currency=row["currency"],
        cutoff=dt.time.fromisoformat(row["cut-off"]),
    )


def _mapping(overrides: list[Row]) -> Mapping:
    """The mapping all cases share, with the case's own changes; `-` takes a key out."""
    mapping = parse_mapping((GOLDEN / "mapping.toml").read_text(encoding="utf-8"), "mapping.toml")
    tables: dict[str, dict[str, Any]] = {
        "category": dict(mapping.categories),
        "tax": dict(mapping.taxes),
        "tender": dict(mapping.tenders),
        "policy": {},
    }
    for row in overrides:
        if row["part"] not in tables:
            raise CaseError(f"the mapping has no part '{row['part']}'")
        if row["value"] == "-":
            del tables[row["part"]][row["key"]]
        elif row["part"] == "tax":
            tables["tax"][row["key"]] = _tax(row["value"])
        else:
            tables[row["part"]][row["key"]] = row["value"]
    return msgspec.structs.replace(
        mapping,
        categories=tables["category"],
        taxes=tables["tax"],
        tenders=tables["tender"],
        **tables["policy"],
    )


def _tax(text: str) -> str | tuple[TaxRule, ...]:
    """A tax type, or several by date: `SERVICE6 6 % from 2018-09-01; SERVICE8 from 2024-03-01`."""
    rules = []
    for part in text.split("; "):
        found = re.fullmatch(r"(\w+)(?: (\d+) %)? from (\d{4}-\d\d-\d\d)", part)
        if found is None:
            return text
        rules.append(TaxRule(found[1], dt.date.fromisoformat(found[3]), found[2]))
    return tuple(rules)


def _readings(tables: dict[str, list[Row]], defaults: Row) -> tuple[tuple[Receipt, ...], ...]:
    rows = tables["Receipts"]
    keys = [row["receipt"] for row in rows]
    strays = {row["receipt"] for row in [*tables["Lines"], *tables["Tenders"]]} - set(keys)
    if strays or len(set(keys)) < len(keys):
        raise CaseError(f"receipts are listed once each, and all of them: {strays or keys}")
    receipts = [(int(row["read"]), _receipt(_with_defaults(row, defaults), tables)) for row in rows]
    last = max((read for read, _ in receipts), default=1)
    return tuple(
        tuple(receipt for read, receipt in receipts if read <= number)
        for number in range(1, last + 1)
    )


def _receipt(row: Row, tables: dict[str, list[Row]]) -> Receipt:
    if row["kind"] not in ("sale", "refund") or row["status"] not in ("final", "voided"):
        raise CaseError(f"receipt {row['receipt']} is no sale or refund, final or voided")
    currency = row["currency"]
    return Receipt(
        receipt_id_pos=row["receipt"].partition("#")[0],
        store_id=row["store"],
        sold_at=_instant(row["sold at"]),
        updated_at=_instant(row["updated"]) if row["updated"] else None,
        currency=currency,
        is_refund=row["kind"] == "refund",
        is_voided=row["status"] == "voided",
        lines=tuple(
            (
                line["category"],
                line["tax code"],
                parse_minor(line["net"], currency),
                parse_minor(line["tax"], currency),
            )
            for line in tables["Lines"]
            if line["receipt"] == row["receipt"]
        ),
        tenders=tuple(
            (tender["tender"], parse_minor(tender["amount"], currency))
            for tender in tables["Tenders"]
            if tender["receipt"] == row["receipt"]
        ),
    )


def _instant(text: str) -> dt.datetime:
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise CaseError(f"the time {text} has no offset")
    return instant.astimezone(dt.UTC)


def _check_note(case: GoldenDay) -> None:
    """The note works the figures out: its sums are right, and no total is missing from it."""
    totals = [
        row
        for name, rows in case.expected.items()
        if name.startswith("Daily total")
        for row in rows
    ]
    figures = {row[name] for row in totals for name in ("net", "tax", "paid")}
    faults = faults_of(case.note, figures)
    if faults:
        raise CaseError("; ".join(faults))
