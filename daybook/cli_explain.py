"""`daybook explain`: why a store-day's figures differ, and where a receipt went."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from daybook.money import amount_from_minor
from daybook.on_use import loaded_on_use
from daybook.sales.store import StoreDay
from daybook.terminal import DATE_FORM, AsJson, date_of, open_wiring, say, say_json, show

with loaded_on_use():
    from daybook.jobs import explain, explain_in_xero

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daybook.jobs.explain import Explained, StoreDayFacts
    from daybook.jobs.explain_in_xero import DocumentFigures

    Row = Mapping[str, str | int]


def explain_command(
    store: Annotated[str, typer.Argument(help="The store's id.")],
    date: Annotated[
        dt.date, typer.Argument(parser=date_of, help=f"The business date, {DATE_FORM}.")
    ],
    *,
    receipt: Annotated[
        str | None, typer.Option(help="Show which document lines this receipt is part of.")
    ] = None,
    xero: Annotated[
        bool, typer.Option("--xero", help="Ask Xero what it holds now; one call or two.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Explain a store-day: which receipt, line, tender or tax makes a difference.

    Example: daybook explain S01 2026-03-14 --receipt R1
    """
    day = StoreDay(date, store)
    with open_wiring() as wired:
        facts = explain.store_day_facts(wired.engine, day)
        figures = (
            explain_in_xero.figures_in_xero(wired.engine, day, wired.client_by_id)
            if xero
            else explain_in_xero.document_figures(wired.engine, day)
        )
    said_of_xero = [explain_in_xero.xero_sentence(figures)] if xero else []
    if receipt is not None:
        rows = _place_rows(facts, receipt)
        show(f"Receipt {receipt} in the documents of {day.business_date}", rows, as_json=as_json)
        return
    explained = explain.explain(facts)
    if as_json:
        content = {
            "sentence": explained.sentence,
            "receipts": _odd_rows(explained),
            "sums": _sum_rows(explained),
            "documents": _document_rows(figures, is_asked=xero),
            "xero": said_of_xero,
        }
        say_json(content)
        return
    if explained.odd:
        show("Receipts that do not balance", _odd_rows(explained), as_json=False)
    show(f"Store {store} on {day.business_date}", _sum_rows(explained), as_json=False)
    if figures:
        show(
            "Documents, and what Xero has of them",
            _document_rows(figures, is_asked=xero),
            as_json=False,
        )
    say(" ".join([explained.sentence, *said_of_xero]))


def _odd_rows(explained: Explained) -> list[Row]:
    """Every line and tender of the receipts that do not balance."""
    rows: list[Row] = []
    for one in explained.odd:
        shown = [
            *(
                (f"{line.category}, {line.tax_code}", line.net_minor, line.tax_minor, None)
                for line in one.lines
            ),
            *((tender, None, None, amount) for tender, amount in one.tenders),
        ]
        rows += [
            {
                "receipt": one.receipt_id_pos,
                "line or tender": what,
                "net": _text(net, one.currency),
                "tax": _text(tax, one.currency),
                "paid": _text(paid, one.currency),
            }
            for what, net, tax, paid in shown
        ]
    return rows


def _sum_rows(explained: Explained) -> list[Row]:
    return [
        {
            "currency": one.currency,
            "sum of": one.part,
            "name": one.key,
            "receipts": _text(one.receipts_minor, one.currency),
            "documents": _text(one.documents_minor, one.currency),
            "difference": ""
            if one.documents_minor is None
            else _text(one.difference_minor, one.currency),
        }
        for one in explained.sums
    ]


def _document_rows(figures: Iterable[DocumentFigures], *, is_asked: bool) -> list[Row]:
    """What the ledger says of each document; beside it what Xero says, or the id it gave."""
    rows: list[Row] = []
    for one in figures:
        there = one.in_xero
        beside = {
            "Xero's total": _text(there.total_minor if there else None, one.currency),
            "Xero's due": _text(there.due_minor if there else None, one.currency),
            "Xero's status": there.status if there else "not there",
        }
        rows.append(
            {
                "document": one.number,
                "state": one.state,
                "total": _text(one.total_minor, one.currency),
                "paid": _text(one.paid_minor, one.currency),
                **(beside if is_asked else {"id in Xero": one.id_xero or ""}),
            }
        )
    return rows


def _place_rows(facts: StoreDayFacts, receipt_id_pos: str) -> list[Row]:
    return [
        {
            "line or tender": one.what,
            "amount": _text(one.amount_minor, one.currency),
            "account": one.account,
            "part of": one.where,
        }
        for one in explain.places_of(facts, receipt_id_pos)
    ]


def _text(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(amount_from_minor(minor, currency))
