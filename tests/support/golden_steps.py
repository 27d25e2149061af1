"""The steps of a golden expense case: a verb, what it is done to, and with what.

The verbs are the methods below, with spaces for underscores. `with` holds words or `name: value`
pairs with semicolons between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from expense_place import FIRST, LAST, MAPPING

from daybook.clock import SystemClock
from daybook.errors import InputError
from daybook.expenses.states import Stage
from daybook.jobs.correct_expenses import correct_expenses
from daybook.jobs.extract_expenses import extract_expenses
from daybook.jobs.load_expense_mapping import load_expense_mapping
from daybook.jobs.release_expenses import release_expenses
from daybook.jobs.review_expenses import Reviewer, change_expenses, move_expenses
from daybook.jobs.sync_expenses import Syncing, plan_batch, post_batch
from daybook.money import parse_minor
from daybook.posting.documents import DocumentKind
from daybook.spend.aspire import AspireSource
from daybook.spend.files import ExpenseFiles
from daybook.spend.receipts_api import ReceiptsApi
from daybook.spend.source import NoReceipts

if TYPE_CHECKING:
    from pathlib import Path

    from expense_place import ExpensePlace

    from daybook.spend.source import ExpenseSource, ReceiptStore

_MAPPING = "expenses.toml"


@dataclass
class Steps:
    """Does them in one place; `who` is recorded where the library records people."""

    place: ExpensePlace
    who: str = ""
    files: Path | None = None

    def do(self, who: str, does: str, to: str, what: str) -> None:
        """One step."""
        self.who = who
        getattr(self, does.replace(" ", "_"))(to, what)

    # Finance

    def fetch(self, _to: str, _what: str) -> None:
        """Read what the card account has now."""
        self._fetch()

    def sync(self, to: str, what: str) -> None:
        """Fetch; then post everything that is ready, or (`to`) one expense with its update."""
        countries = what.removeprefix("except ").split(",") if what else ["HK"]
        place = self.place
        self._fetch()
        syncing = Syncing(
            place.engine,
            lambda _key: place.client,
            "DB",
            frozenset(countries),
            self.who,
            place.clock,
        )
        ids = [f"aspire-{to}"] if to else [one.expense.expense_id for one in place.expenses()]
        plan_batch(syncing, ids)
        post_batch(syncing, place.organisation, ids, with_updates=bool(to))

    def attach(self, _to: str, _what: str) -> None:
        """Attach what is due."""
        self.place.attach()

    def set(self, to: str, what: str) -> None:
        """Decide about an expense."""
        changes: dict[str, Any] = dict(_pairs(what))
        if "tracking" in changes:
            changes["tracking"] = dict(
                one.split("=") for one in changes["tracking"].split(", ") if one
            )
        for flag in ("is_no_double", "needs_no_receipt"):
            if flag in changes:
                changes[flag] = changes[flag] == "yes"
        change_expenses(self.place.engine, {f"aspire-{to}": changes}, self._reviewer)

    def split(self, to: str, what: str) -> None:
        """Split an expense: amount, category and perhaps a text per part."""
        lines = []
        for part in what.split("; "):
            amount, category, *text = part.split(", ")
            line: dict[str, Any] = {"amount_minor": parse_minor(amount, "SGD")}
            line |= {"category": category} if category else {}
            lines.append(line | ({"description": text[0]} if text else {}))
        change_expenses(self.place.engine, {f"aspire-{to}": {"lines": lines}}, self._reviewer)

    def exclude(self, to: str, why: str) -> None:
        """Leave it out."""
        self._move(to, Stage.EXCLUDED, why)

    def by_hand(self, to: str, why: str) -> None:
        """It was posted by a person."""
        self._move(to, Stage.BY_HAND, why)

    def reopen(self, to: str, why: str) -> None:
        """Take either back."""
        self._move(to, Stage.PENDING, why)

    def is_refused_to_exclude(self, to: str, says: str) -> None:
        """What is in Xero cannot be left out."""
        with pytest.raises(InputError, match=says):
            self._move(to, Stage.EXCLUDED, "")

    def correct(self, to: str, _what: str) -> None:
        """Post a correcting entry."""
        syncing = replace(self.place.syncing(), run_id=self.who)
        correct_expenses(syncing, self.place.organisation, [f"aspire-{to}"])

    def map(self, _to: str, what: str) -> None:
        """Load the mapping with changes: `old text -> new text`."""
        load_expense_mapping(
            self.place.engine, _mapping(what), _MAPPING, loaded_by=self.who, clock=self.place.clock
        )

    def is_refused_to_map(self, says: str, what: str) -> None:
        """The mapping with changes is not taken, and the sentence says why."""
        with pytest.raises(InputError, match=says):
            self.map("", what)

    def is_refused_to_reopen(self, to: str, says: str) -> None:
        """What is in Xero still is not posted anew."""
        with pytest.raises(InputError, match=says):
            self._move(to, Stage.PENDING, "")

    # The card account

    def change(self, to: str, what: str) -> None:
        """The source says something else about a payment."""
        given = dict(_pairs(what))
        changes: dict[str, Any] = {"id": to}
        if "amount" in given:
            amount_minor = -parse_minor(given["amount"], "SGD")
            changes |= {"amount": amount_minor, "type": "debit" if amount_minor < 0 else "credit"}
        if "category" in given:
            changes["additional_info"] = {"spend_category": given["category"]}
        if "status" in given:
            changes["status"] = given["status"]
        self.place.pay(**changes)

    def receipt(self, to: str, name: str) -> None:
        """A receipt arrives."""
        self.place.upload(to, name, f"receipt {name} of {to}".encode())

    def broken_receipt(self, to: str, name: str) -> None:
        """A receipt arrives that no reader opens."""
        self.place.upload(to, name, b"%PDF-1.4 and no more of it")

    # Xero

    def lock(self, _to: str, date: str) -> None:
        """The books are locked up to a date; none opens them."""
        self._organisation("lock-dates", {"PeriodLockDate": date or None})

    def archive_account(self, to: str, _what: str) -> None:
        """An account goes out of use."""
        self._organisation(f"accounts/{to}/archive", {})

    def archive_option(self, to: str, _what: str) -> None:
        """A tracking option goes out of use; Daybook itself may not do that in Xero."""
        place = self.place
        books = place.sandbox.simulation.organisations[place.organisation.tenant_id_xero]
        for category in list(books.tracking_categories):
            for option in category.options:
                option.status = "ARCHIVED" if option.name == to else option.status
            books.put_tracking_category(category)

    def remove(self, to: str, _what: str) -> None:
        """A person removes a bank transaction, named by its reference."""
        [there] = [
            one["BankTransactionID"]
            for one in self.place.bank_transactions()
            if one["Reference"] == f"DB-EXP-aspire-{to}" and one["Status"] == "AUTHORISED"
        ]
        body = {"BankTransactionID": there, "Status": "DELETED"}
        self.place.client.write(
            "POST", "/BankTransactions", body, idempotency_key=f"remove {there}"
        )

    def recode(self, to: str, region: str) -> None:
        """A person gives a bank transaction another tracking option."""
        [there] = [
            one for one in self.place.bank_transactions() if one["Reference"].endswith(f"-{to}")
        ]
        kept = ("BankTransactionID", "Type", "Reference", "LineAmountTypes")
        lines = [
            {name: line[name] for name in ("Description", "UnitAmount", "AccountCode", "TaxType")}
            | {"Tracking": [{"Name": "Region", "Option": region}]}
            for line in there["LineItems"]
        ]
        body = {name: there[name] for name in kept} | {
            "Contact": {"ContactID": there["Contact"]["ContactID"]},
            "BankAccount": {"Code": there["BankAccount"]["Code"]},
            "Date": there["DateString"][:10],
            "LineItems": lines,
        }
        self.place.client.write("POST", "/BankTransactions", body, idempotency_key=f"to {region}")

    def reconcile(self, to: str, _what: str) -> None:
        """A person matches a bank transaction with its statement line."""
        self._reconcile(to, "reconcile")

    def unreconcile(self, to: str, _what: str) -> None:
        """And takes that back."""
        self._reconcile(to, "unreconcile")

    def bill(self, to: str, what: str) -> None:
        """Somebody else enters a bill."""
        given = dict(_pairs(what))
        self.place.client.write(
            "PUT",
            "/Invoices",
            {
                "Type": "ACCPAY",
                "Status": "AUTHORISED",
                "InvoiceNumber": to,
                "Contact": {"Name": given["contact"]},
                "Date": given["date"],
                "DueDate": given["date"],
                "LineAmountTypes": "NoTax",
                "LineItems": [_foreign_line(given)],
            },
            idempotency_key=f"bill {to}",
        )

    def spend(self, to: str, what: str) -> None:
        """Somebody else, perhaps the vendor's own sync, posts a spend money."""
        given = dict(_pairs(what))
        self.place.client.write(
            "PUT",
            "/BankTransactions",
            {
                "Type": DocumentKind.SPEND_MONEY.partition("_")[0].upper(),
                "Contact": {"Name": given["contact"]},
                "BankAccount": {"Code": given["bank"]},
                "Date": given["date"],
                "Reference": to,
                "LineAmountTypes": "NoTax",
                "LineItems": [_foreign_line(given)],
            },
            idempotency_key=f"spend {to}",
        )

    def _fetch(self) -> None:
        sources: list[tuple[ExpenseSource, ReceiptStore]] = [
            (AspireSource(self.place.aspire), ReceiptsApi(self.place.aspire))
        ]
        sources += [(ExpenseFiles(str(self.files)), NoReceipts())] if self.files else []
        for source, receipts in sources:
            extract_expenses(
                source,
                receipts,
                self.place.engine,
                FIRST,
                LAST,
                run_id=self.who,
                clock=self.place.clock,
            )

    def _move(self, to: str, stage: Stage, why: str) -> None:
        syncing = replace(self.place.syncing(), run_id=self.who)
        places = {self.place.organisation.organisation_id: self.place.organisation}
        release_expenses(syncing, places, [f"aspire-{to}"], stage, why=why)
        move_expenses(self.place.engine, [f"aspire-{to}"], stage, self._reviewer, why)

    def _reconcile(self, to: str, verb: str) -> None:
        [id_xero] = [one.id_xero for one in self.place.expenses() if one.expense.id_source == to]
        self._organisation(f"bank-transactions/{id_xero}/{verb}", {})

    def _organisation(self, path: str, body: dict[str, Any]) -> None:
        tenant = self.place.organisation.tenant_id_xero
        answer = self.place.control.post(f"/_sandbox/organisations/{tenant}/{path}", json=body)
        answer.raise_for_status()

    @property
    def _reviewer(self) -> Reviewer:
        return Reviewer(self.who, SystemClock())


def _pairs(what: str) -> list[tuple[str, str]]:
    """`account: 420; tax_type: INPUT2` as pairs."""
    found = []
    for one in what.split("; "):
        name, _, value = one.partition(": ")
        found.append((name, value))
    return found


def _mapping(what: str) -> str:
    """The mapping of all cases with these changes."""
    text = MAPPING
    for change in what.split("; "):
        old, _, new = change.partition(" -> ")
        assert old in text, f"the mapping does not say {old}"
        text = text.replace(old, new)
    return text


def _foreign_line(given: dict[str, str]) -> dict[str, object]:
    return {"Description": "x", "UnitAmount": float(given["amount"]), "AccountCode": "449"}
