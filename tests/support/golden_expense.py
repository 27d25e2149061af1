"""Expenses written down as tables: what the card recorded, who did what, what must come of it.

A case is a Markdown file: a title that names the rule, a note that works the figures out by hand,
then sections with one table each, or the word `None.`. Steps are done in their order, in a sandbox
and a ledger of the case's own. A column left out has its default. Payments with a merchant's
amount come from a file, since the card account does not say it. References are written without
what all of them begin with (`t1` for `DB-EXP-aspire-t1`), and the day of the run, where the
organisation is, as `today`.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from golden_steps import Steps
from worked_note import faults_of

from daybook.ledger.expenses import read_events
from daybook.money import parse_minor

if TYPE_CHECKING:
    from collections.abc import Collection

    from expense_place import ExpensePlace

CASES: Final = Path(__file__).parent.parent / "golden" / "expenses"
_PREFIXES: Final = re.compile("^DB-EXP-(aspire|files)-")
ZONE: Final = ZoneInfo("Pacific/Auckland")

Row = dict[str, str]

# Per section: the columns it must have, and those it may leave out with their defaults.
_SECTIONS: Final[dict[str, tuple[tuple[str, ...], Row]]] = {
    "Payments": (
        ("id", "date", "amount"),
        {
            "merchant": "Grab",
            "category": "Transport",
            "account": "acc-sgd",
            "currency": "SGD",
            "status": "settled",
            "reference": "",
            "merchant amount": "",
        },
    ),
    "Steps": (("who", "does"), {"to": "", "with": ""}),
    "Expenses": (("id", "state"), {"updated": "", "problem": "", "says": ""}),
    "In Xero": (
        ("reference", "kind", "account", "tax type", "net", "tax"),
        {"date": "", "contact": "", "bank": "", "tracking": "", "description": ""},
    ),
    "History": (("id", "who", "what"), {"says": ""}),
}
_OPTIONAL: Final = {"History"}


class CaseError(ValueError):
    """A case is not written as it should be."""


@dataclass(frozen=True)
class GoldenExpense:
    """One case: its words and its tables, and which columns of each were written."""

    title: str
    note: str
    tables: dict[str, list[Row]]
    columns: dict[str, tuple[str, ...]]

    @property
    def expected(self) -> dict[str, list[Row]]:
        """The tables that the run has to come to."""
        given = {"Payments", "Steps"}
        return {name: rows for name, rows in self.tables.items() if name not in given}


def case_files() -> list[Path]:
    """Every case, by name."""
    return sorted(CASES.glob("*.md"))


def read_case(text: str) -> GoldenExpense:
    """The case that the text says; anything odd in it is an error."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, note = head.partition("\n")
    if not re.fullmatch(r"# .+ \((eligibility|mapping|states)\)", title):
        raise CaseError(f"the title '{title}' does not name its rule, as in '# ... (mapping)'")
    tables: dict[str, list[Row]] = {}
    columns: dict[str, tuple[str, ...]] = {}
    for part in parts:
        name, _, body = part.partition("\n")
        if name not in _SECTIONS or name in tables:
            raise CaseError(f"section '{name}' is unknown or there twice")
        columns[name], tables[name] = _table(name, body)
    missing = set(_SECTIONS) - set(tables) - _OPTIONAL
    if missing:
        raise CaseError(f"sections are missing: {', '.join(sorted(missing))}")
    figures = {row[name] for row in tables["In Xero"] for name in ("net", "tax")}
    faults = faults_of(" ".join(note.split()), figures)
    if faults:
        raise CaseError("; ".join(faults))
    return GoldenExpense(title.removeprefix("# "), note, tables, columns)


def outcome(case: GoldenExpense, place: ExpensePlace) -> dict[str, list[Row]]:
    """What the library makes of the case, as the tables the case expects."""
    began_date = _today(place)
    place.world(transaction_count=0)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "expenses.csv")
        _write(case.tables["Payments"], place, files)
        steps = Steps(place, files=files)
        for row in case.tables["Steps"]:
            steps.do(row["who"], row["does"], row["to"], row["with"])
    found = {"Expenses": _expenses(place), "In Xero": _in_xero(place, {began_date, _today(place)})}
    if "History" in case.expected:
        found["History"] = _history(place)
    return {name: _as_asked(case, name, rows) for name, rows in found.items()}


def _as_asked(case: GoldenExpense, name: str, rows: list[Row]) -> list[Row]:
    """The columns that the case has; of a sentence it quotes the part that matters."""
    wanted = case.expected[name]
    asked = [{column: row[column] for column in case.columns[name]} for row in rows]
    for found, one in zip(asked, wanted, strict=False):
        for column in ("says", "description"):
            if one.get(column) and one[column] in found.get(column, ""):
                found[column] = one[column]
    return asked


def _write(rows: list[Row], place: ExpensePlace, path: Path) -> None:
    """Tell the card account, or the file where a payment has the merchant's own amount."""
    facts = ("id", "account", "date", "amount", "currency", "merchant", "category")
    lines = [",".join((*facts, "merchant_amount"))]
    for row in rows:
        if row["merchant amount"]:
            lines.append(",".join([*(row[name] for name in facts), row["merchant amount"]]))
        else:
            place.pay(**_transaction(row))
    path.write_text("\n".join(lines), encoding="utf-8")


def _transaction(row: Row) -> dict[str, object]:
    amount_minor = -parse_minor(row["amount"], row["currency"])
    return {
        "id": row["id"],
        "account_id": row["account"],
        "datetime": f"{row['date']}T04:00:00Z",
        "amount": amount_minor,
        "currency_code": row["currency"],
        "type": "debit" if amount_minor < 0 else "credit",
        "status": row["status"],
        "channel": "card",
        "reference": row["reference"],
        "counterparty_name": row["merchant"],
        "additional_info": {"spend_category": row["category"], "card_number": "•••• 4417"},
    }


def _expenses(place: ExpensePlace) -> list[Row]:
    return [
        {
            "id": one.expense.id_source,
            "state": one.state,
            "updated": "Updated" if one.is_updated else "",
            "problem": ", ".join(dict.fromkeys(each.code for each in one.problems)),
            "says": " ".join(each.sentence for each in one.problems),
        }
        for one in place.expenses()
    ]


def _today(place: ExpensePlace) -> str:
    """The date where the organisation is."""
    return f"{place.clock.now().astimezone(ZONE):%Y-%m-%d}"


def _in_xero(place: ExpensePlace, days_of_run: Collection[str]) -> list[Row]:
    """Its rows; midnight may have come while the case ran."""
    rows = []
    for found in place.bank_transactions():
        if found["Status"] != "AUTHORISED":
            continue
        date = str(found["DateString"])[:10]
        for line in found["LineItems"]:
            tax = Decimal(line["TaxAmount"])
            rows.append(
                {
                    "reference": _PREFIXES.sub("", found["Reference"]),
                    "kind": found["Type"].lower(),
                    "date": "today" if date in days_of_run else date,
                    "contact": found["Contact"]["Name"],
                    "bank": found["BankAccount"]["Code"],
                    "account": line["AccountCode"],
                    "tax type": line["TaxType"],
                    "tracking": ", ".join(
                        sorted(one["Option"] for one in line.get("Tracking") or ())
                    ),
                    "description": line["Description"],
                    "net": f"{Decimal(line['LineAmount']) - tax:.2f}",
                    "tax": f"{tax:.2f}",
                }
            )
    return sorted(rows, key=lambda row: row["reference"])


def _history(place: ExpensePlace) -> list[Row]:
    with place.engine.connect() as connection:
        return [
            {
                "id": one.expense.id_source,
                "who": str(event["actor"]),
                "what": str(event["event"]),
                "says": str(event["detail"] or ""),
            }
            for one in place.expenses()
            for event in read_events(connection, one.expense.expense_id)
        ]


def _table(name: str, body: str) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and rows of a section, with the defaults of columns that are left out."""
    lines = [line.strip() for line in body.strip().splitlines()]
    required, optional = _SECTIONS[name]
    if lines == ["None."]:
        return required, []
    if len(lines) < 3 or not all(line.startswith("|") and line.endswith("|") for line in lines):
        raise CaseError(f"section '{name}' is neither one table nor 'None.'")
    header, _rule, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    if set(header) - {*required, *optional} or set(required) - set(header):
        raise CaseError(f"section '{name}' has the columns {header}, not {[*required, *optional]}")
    if any(len(row) != len(header) for row in rows):
        raise CaseError(f"section '{name}' has a row that is not as long as its header")
    is_given = name in {"Payments", "Steps"}
    whole = [dict(zip(header, row, strict=True)) for row in rows]
    return tuple(header), [optional | row if is_given else row for row in whole]
