"""Batches at once; those that Xero refuses as a whole, without naming the element at fault."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from threading import Barrier
from typing import TYPE_CHECKING

import httpx
import pytest
from kopi_corner import DATE, daily_total
from poisoned_xero import WORDS, PoisonedTransport

from daybook.clock import SystemClock
from daybook.errors import FinalError
from daybook.jobs import post as jobs_post
from daybook.jobs import post_round
from daybook.ledger.store_days import read_store_days
from daybook.xero.client import open_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopi_corner import Chain

    from daybook.jobs.post import Posted
    from daybook.sales.store import StoreDay

STORES = ("S01", "S02", "S03")
CULPRIT = "DB-S02-20260320"


@contextmanager
def poisoned(chain: Chain, transport: PoisonedTransport) -> Iterator[Chain]:
    """The chain, on the way that refuses."""
    with open_http(transport) as http:
        yield replace(chain, access=replace(chain.access, http=http))


def planned(chain: Chain, date_count: int, *, refund: int = 0) -> list[StoreDay]:
    """Some dates of three stores."""
    days = chain.total(
        [
            daily_total(store_id, DATE + dt.timedelta(days=offset), refund=refund)
            for offset in range(date_count)
            for store_id in STORES
        ]
    )
    chain.plan(days)
    return days


def post_poisoned(
    chain: Chain, days: list[StoreDay], poison: str, *, saves_others: bool
) -> tuple[Posted, int]:
    """Post on the way that refuses; how many calls it refused."""
    transport = PoisonedTransport(poison, saves_others)
    with poisoned(chain, transport) as on_this_way:
        posted = on_this_way.post(days)
    assert [] == transport.sent_again, "what Xero has saved is looked up, not sent again"
    return posted, transport.refused_count


def failed_days(chain: Chain, days: list[StoreDay]) -> dict[StoreDay, list[str]]:
    """The store-days that failed, and what is said of them."""
    with chain.engine.connect() as connection:
        statuses = read_store_days(connection, days)
    return {
        day: [hold.sentence for hold in one.holds]
        for day, one in statuses.items()
        if one.state == "failed"
    }


@pytest.mark.parametrize("others", ["saved", "lost"])
def test_one_poisoned_invoice_is_found_and_the_others_are_posted(chain: Chain, others: str) -> None:
    """In halves, each looked up first: the culprit is refused in Xero's words, nothing doubled."""
    days = planned(chain, 16)
    posted, refused_count = post_poisoned(
        chain, days, f'"{CULPRIT}"', saves_others=others == "saved"
    )
    assert (1, 3 * 47) == (posted.rejected_count, posted.posted_count + posted.adopted_count)
    assert {"PAID": 47} == chain.books()["counts"]["invoices"]
    assert {"AUTHORISED": 94} == chain.books()["counts"]["payments"]
    assert refused_count <= 7  # 48, 24, 12, 6, 3, 2, 1
    ((day, (sentence,)),) = failed_days(chain, days).items()
    assert ("S02", dt.date(2026, 3, 20)) == (day.store_id, day.business_date)
    assert sentence.startswith(f"Xero refused {CULPRIT}: {WORDS}")


@pytest.mark.parametrize("others", ["saved", "lost"])
def test_payments_of_one_document_are_refused_together(chain: Chain, others: str) -> None:
    """They are never sent apart, for only together do they keep a late copy out."""
    days = planned(chain, 16)
    poison = f'"{CULPRIT} Cash"'
    posted, _ = post_poisoned(chain, days, poison, saves_others=others == "saved")
    there = [row["reference"] for row in chain.books()["payments"]]
    assert len(there) == len(set(there)) == 96 - posted.rejected_count
    assert f"{CULPRIT} Cash" not in there
    # Where Xero saved the other one of the two it is there, and only the culprit is refused.
    assert (1 if others == "saved" else 2) == posted.rejected_count
    assert 1 == len(failed_days(chain, days))


def test_poisoned_credit_note_is_found(chain: Chain) -> None:
    """Credit notes are looked up by a filter, and otherwise are no different."""
    days = planned(chain, 4, refund=500)
    posted, _ = post_poisoned(chain, days, '"DB-S03-20260316-CN"', saves_others=True)
    assert 1 == posted.rejected_count
    assert {"PAID": 11} == chain.books()["counts"]["credit_notes"]


def test_credit_notes_are_looked_up_among_very_many(chain: Chain) -> None:
    """Xero filters no hundred thousand of them by number; by date it finds the lost one."""
    chain.post(planned(chain, 2, refund=500))
    chain.control.post("/_sandbox/limits", json={"high_volume": 5}).raise_for_status()
    days = planned(chain, 4, refund=500)
    chain.fault(match={"method": "PUT", "path": "/CreditNotes"}, nth=1, fault="lost_reply")
    posted = chain.post(days)
    assert 6 == posted.adopted_count
    assert {"PAID": 12} == chain.books()["counts"]["credit_notes"]


def test_culprit_is_posted_once_it_is_mended(chain: Chain) -> None:
    """The next run sends it with the day's payments, and nothing else."""
    days = planned(chain, 2)
    post_poisoned(chain, days, '"DB-S01-20260314"', saves_others=False)
    chain.plan(days)
    posted = chain.post(days)
    assert (3, 0) == (posted.posted_count, posted.rejected_count)
    assert {"PAID": 6} == chain.books()["counts"]["invoices"]
    assert {} == failed_days(chain, days)


@pytest.mark.parametrize(
    ("poison", "culprit_count"),
    [('"InvoiceNumber": "DB-S02', 40), ("-202603", 54)],
    ids=["every third", "all of the first month"],
)
def test_many_culprits_keep_no_good_document_back(
    chain: Chain, poison: str, culprit_count: int
) -> None:
    """However many there are, and wherever: each is refused by name, all others are posted."""
    days = planned(chain, 40)
    posted, _ = post_poisoned(chain, days, poison, saves_others=False)
    assert culprit_count == len(failed_days(chain, days))
    assert {"PAID": 120 - culprit_count} == chain.books()["counts"]["invoices"]
    assert culprit_count == posted.rejected_count


def test_refusal_of_everything_ends_the_run_after_few_calls(chain: Chain) -> None:
    """Not a document is at fault then: the run says so, and a later one posts all of it once."""
    days = planned(chain, 100)
    transport = PoisonedTransport('"InvoiceNumber"')
    with (
        poisoned(chain, transport) as on_this_way,
        pytest.raises(FinalError, match="have in common"),
    ):
        on_this_way.post(days)
    assert transport.refused_count <= 70
    chain.plan(days)
    chain.post(days)
    assert {"PAID": 300} == chain.books()["counts"]["invoices"]
    assert {"AUTHORISED": 600} == chain.books()["counts"]["payments"]


def test_run_that_has_sent_all_does_not_wait_for_another(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its turn is over after every call, but it only goes second when it would come again."""
    monkeypatch.setattr(jobs_post, "TURN_SECONDS", 0)
    monkeypatch.setattr(post_round, "somebody_waits", lambda *_: True)
    days = planned(chain, 1)
    said: list[str] = []
    posted = jobs_post.post(
        chain.engine,
        chain.client,
        chain.organisation,
        days,
        run_id="test",
        clock=SystemClock(),
        progress=said.append,
    )
    assert 9 == posted.posted_count
    # Once, after the invoices; not again after the payments.
    assert 1 == sum("another run goes first" in sentence for sentence in said)


def test_several_calls_are_under_way_at_once(chain: Chain) -> None:
    """Xero may take its time over a batch: the first is not answered before the last has left."""
    days = planned(chain, 84)
    all_are_there = Barrier(jobs_post.CALLS_AT_ONCE)
    numbers = count(1)

    def wait_for_the_others(request: httpx.Request) -> None:
        is_payment = request.method == "PUT" and request.url.path.endswith("/Payments")
        if is_payment and next(numbers) <= jobs_post.CALLS_AT_ONCE:
            all_are_there.wait(60)

    with httpx.Client(timeout=60, event_hooks={"request": [wait_for_the_others]}) as http:
        replace(chain, access=replace(chain.access, http=http)).post(days)
    log = chain.control.get("/_sandbox/requests", params={"path": "/Payments"}).json()["requests"]
    assert 11 == len(log)
