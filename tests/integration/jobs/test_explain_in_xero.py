"""A store-day's documents in the ledger beside those in Xero."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from kopi_corner import daily_total
from sqlalchemy import text

from daybook.jobs.explain import store_day_facts
from daybook.jobs.explain_in_xero import (
    DocumentFigures,
    XeroFigures,
    document_figures,
    figures_in_xero,
    xero_sentence,
)
from daybook.ledger.filed_documents import filed_documents

if TYPE_CHECKING:
    from kopi_corner import Chain

    from daybook.sales.store import StoreDay


def posted(chain: Chain) -> StoreDay:
    """A day of 11.50 in Xero, with refunds as a credit note of 5.00."""
    (day,) = chain.total([daily_total("S01", refund=500, cash=100)])
    chain.plan([day])
    chain.post([day])
    return day


def in_xero(chain: Chain, day: StoreDay) -> tuple[DocumentFigures, ...]:
    """The day's figures with Xero's."""
    return figures_in_xero(chain.engine, day, lambda _: chain.client)


def test_xero_says_what_the_ledger_says(chain: Chain) -> None:
    """Totals, what is due, and nothing else."""
    day = posted(chain)
    invoice, note = in_xero(chain, day)
    assert ("DB-S01-20260314", 1150, 1150) == (
        invoice.number,
        invoice.total_minor,
        invoice.paid_minor,
    )
    assert XeroFigures("PAID", 1150, 0) == invoice.in_xero
    assert XeroFigures("PAID", 500, 0) == note.in_xero
    assert "Xero says the same to the cent." == xero_sentence([invoice, note])


def test_the_ledger_alone_asks_nobody(chain: Chain) -> None:
    """It knows the state and the id that Xero gave, and makes no call."""
    day = posted(chain)
    before = chain.control.get("/_sandbox/requests").json()["count"]
    figures = document_figures(chain.engine, day)
    assert ["posted", "posted"] == [one.state for one in figures]
    assert all(one.id_xero and one.in_xero is None for one in figures)
    assert before == chain.control.get("/_sandbox/requests").json()["count"]


def test_a_payment_that_only_xero_has_is_seen(chain: Chain) -> None:
    """Both figures are said, with what is due by each."""
    day = posted(chain)
    with chain.engine.begin() as connection:
        connection.execute(
            text("UPDATE documents SET state = 'planned', id_xero = NULL WHERE kind = 'payment'")
        )
    assert (
        "Xero says 11.50 NZD with 0.00 due of DB-S01-20260314 (PAID), the ledger 11.50 with 11.50 "
        "due (posted); Xero says 5.00 NZD with 0.00 due of DB-S01-20260314-CN (PAID), the ledger "
        "5.00 with 5.00 due (posted)."
    ) == xero_sentence(in_xero(chain, day))


def test_a_document_that_xero_does_not_have_is_named(chain: Chain) -> None:
    """Planned and never sent."""
    (day,) = chain.total([daily_total("S01")])
    assert "There is no document that Xero could have." == xero_sentence(in_xero(chain, day))
    chain.plan([day])
    assert ("Xero has no invoice DB-S01-20260314, the ledger says planned.") == xero_sentence(
        in_xero(chain, day)
    )


def test_explaining_waits_for_nobody(chain: Chain) -> None:
    """While a plan holds the day's documents, they can be looked at all the same."""
    day = posted(chain)
    seen: list[int] = []

    def look() -> None:
        seen.append(len(document_figures(chain.engine, day)))
        seen.append(len(store_day_facts(chain.engine, day).documents))

    with chain.engine.begin() as connection:
        assert 4 == len(filed_documents(connection, [day], for_update=True)[day])
        reader = Thread(target=look)
        reader.start()
        reader.join(60)
        assert [2, 4] == seen
