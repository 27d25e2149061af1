"""Posting into the sandbox: once, to the cent, whatever becomes of the replies."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import pytest
from hurried_clock import HurriedClock
from kopi_corner import DATE, MAPPING, daily_total
from sqlalchemy import text

from daybook.clock import SystemClock
from daybook.errors import Busy, Unavailable
from daybook.jobs.load_mapping import load_mapping
from daybook.jobs.plan import plan
from daybook.jobs.post import ARRIVAL_SECONDS
from daybook.jobs.reconcile import reconcile
from daybook.ledger.documents import claim, waiting_documents
from daybook.ledger.organisation_lock import organisation_lock
from daybook.ledger.store_days import read_store_days
from daybook.posting.documents import DocumentKind
from daybook.posting.holds import HoldCode
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from kopi_corner import Chain

    from daybook.ledger.store_days import StoreDayStatus
    from daybook.sales.store import StoreDay

STORES = ("S01", "S02", "S03")


def planned_days(chain: Chain) -> list[StoreDay]:
    """One day of three stores, one of them with a refund that needs a credit note."""
    days = chain.total(
        [daily_total("S01"), daily_total("S02", net=2000), daily_total("S03", refund=500)]
    )
    chain.plan(days)
    return days


def status_of(chain: Chain, day: StoreDay) -> StoreDayStatus:
    """Where the store-day stands."""
    with chain.engine.connect() as connection:
        return read_store_days(connection, [day])[day]


def assert_books_are_right(chain: Chain, days: list[StoreDay]) -> None:
    """Each document is there once, paid, and everything is equal to the cent."""
    books = chain.books()
    numbers = [row["number"] for row in (*books["invoices"], *books["credit_notes"])]
    assert 4 == len(numbers) == len(set(numbers))
    references = [row["reference"] for row in books["payments"] if row["status"] == "AUTHORISED"]
    assert 7 == len(references) == len(set(references))
    clients = {chain.organisation.organisation_id: chain.client}
    lines = reconcile(chain.engine, clients, days)
    for one in lines:  # there are no receipts behind these totals
        line = one.line
        assert line.total_minor == line.documents_minor == line.paid_minor == one.xero_minor
        assert (0, "posted") == (one.due_minor, line.state)


def test_planned_days_are_posted_and_paid(chain: Chain) -> None:
    """Three store-days become three invoices, a credit note and seven payments in three calls."""
    days = planned_days(chain)
    posted = chain.post(days)
    assert 11 == posted.posted_count
    assert_books_are_right(chain, days)
    # One for the contact, then one for each kind of document.
    assert 4 == chain.writes()


def test_second_run_writes_nothing(chain: Chain) -> None:
    """What is posted is not planned, sent or touched again."""
    days = planned_days(chain)
    chain.post(days)
    before = chain.writes()
    assert 0 == chain.plan(days).document_count
    chain.post(days)
    assert before == chain.writes()
    assert_books_are_right(chain, days)


@pytest.mark.parametrize("path", ["/Invoices", "/CreditNotes", "/Payments", "/Contacts"])
@pytest.mark.parametrize(
    "fault", ["lost_reply", "lost_request", "truncated_body", "reset_mid_body", "server_error"]
)
def test_lost_reply_is_looked_up_not_sent_again(chain: Chain, path: str, fault: str) -> None:
    """Applied or not, after any broken reply the books hold every document once."""
    days = planned_days(chain)
    chain.fault(match={"method": "PUT", "path": path}, nth=1, fault=fault)
    chain.post(days, HurriedClock(0, 100))
    assert_books_are_right(chain, days)


def test_refused_invoice_stops_no_other(chain: Chain) -> None:
    """An archived account keeps its own store back, with Xero's words; the others are posted."""
    days = chain.total([daily_total("S01"), daily_total("S02", refund=10)])
    chain.plan(days)
    tenant = chain.organisation.tenant_id_xero
    chain.control.post(f"/_sandbox/organisations/{tenant}/accounts/201/archive")
    posted = chain.post(days)
    assert (1, 3) == (posted.rejected_count, posted.posted_count)
    assert "posted" == status_of(chain, days[0]).state
    refused = status_of(chain, days[1])
    assert "failed" == refused.state
    assert [HoldCode.REFUSED] == [hold.code for hold in refused.holds]
    assert "201" in refused.holds[0].sentence


def test_refused_day_is_posted_once_the_cause_is_mended(chain: Chain) -> None:
    """After the account is restored, a new run posts what is missing and nothing else."""
    days = chain.total([daily_total("S01", refund=10)])
    chain.plan(days)
    tenant = chain.organisation.tenant_id_xero
    chain.control.post(f"/_sandbox/organisations/{tenant}/accounts/201/archive")
    chain.post(days)
    chain.control.post(f"/_sandbox/organisations/{tenant}/accounts/201/restore")
    chain.plan(days)
    chain.post(days)
    assert "posted" == status_of(chain, days[0]).state
    assert 1 == len(chain.books()["invoices"])


def test_payment_account_that_was_wrong_can_be_mapped_anew(chain: Chain) -> None:
    """The invoice is in Xero; a new mapping replaces only the refused payment."""
    wrong = MAPPING.replace('NETS = "892"', 'NETS = "200"')
    load_mapping(chain.engine, wrong, "wrong.toml", loaded_by="test", clock=SystemClock())
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    assert "failed" == status_of(chain, days[0]).state
    mended = MAPPING.replace(
        'contact = "Daily sales"', 'contact = "Daily sales"\nrefunds = "negative_lines"'
    )
    load_mapping(chain.engine, mended + "#", "m.toml", loaded_by="test", clock=SystemClock())
    with chain.engine.begin() as connection:
        connection.execute(text("DELETE FROM mappings WHERE content->'tenders'->>'NETS' = '200'"))
    chain.plan(days)
    chain.post(days)
    assert "posted" == status_of(chain, days[0]).state
    assert Counter({"891": 1, "892": 1}) == Counter(
        row["account_code"] for row in chain.books()["payments"]
    )


def test_number_that_is_taken_by_something_else_is_held(chain: Chain) -> None:
    """A document with our number and other figures is shown beside ours and left alone."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    with chain.engine.begin() as connection:  # as after the loss of the ledger
        connection.execute(text("TRUNCATE documents, document_events, store_days CASCADE"))
    changed = chain.total([daily_total("S01", net=1200)])
    chain.plan(changed)
    before = len(chain.books()["payments"])
    chain.post(changed)
    status = status_of(chain, changed[0])
    assert [HoldCode.DIFFERENT_IN_XERO] == [hold.code for hold in status.holds]
    assert "11.50 in Xero and 13.80" in status.holds[0].sentence
    assert before == len(chain.books()["payments"])


def lose_ledger(chain: Chain) -> None:
    """What was posted is not known any more."""
    with chain.engine.begin() as connection:
        connection.execute(text("TRUNCATE documents, document_events, store_days CASCADE"))


def test_held_document_is_adopted_once_the_day_is_what_xero_holds(chain: Chain) -> None:
    """The till is put right: no adjustment is sent, for Xero has never held what was wrong."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    lose_ledger(chain)
    for net in (1200, 1100, 1000):
        chain.total([daily_total("S01", net=net)])
        chain.plan(days)
        chain.post(days)
    assert ("posted", ()) == (status_of(chain, days[0]).state, status_of(chain, days[0]).holds)
    books = chain.books()
    assert (["11.50"], []) == ([row["total"] for row in books["invoices"]], books["credit_notes"])
    assert 2 == len(books["payments"])


def test_held_document_is_not_posted_under_another_number(chain: Chain) -> None:
    """Another prefix is for numbers that are used up: of this day an invoice is in the books."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    lose_ledger(chain)
    chain.total([daily_total("S01", net=1200)])
    chain.plan(days)
    chain.post(days)
    plan(chain.engine, days, prefix="NEW", run_id="test", clock=SystemClock())
    chain.post(days)
    assert ["DB-S01-20260314"] == [row["number"] for row in chain.books()["invoices"]]
    assert [HoldCode.DIFFERENT_IN_XERO] == [hold.code for hold in status_of(chain, days[0]).holds]


def test_adjustment_waits_while_another_document_of_the_day_is_held(chain: Chain) -> None:
    """It is the difference to what the ledger has, and Xero has something else."""
    days = chain.total([daily_total("S03", refund=500, cash=100)])
    chain.plan(days)
    chain.post(days)
    lose_ledger(chain)
    chain.total([daily_total("S03", net=1200, refund=500, cash=100)])
    chain.plan(days)
    chain.post(days)
    assert "failed" == status_of(chain, days[0]).state
    before = chain.writes()
    chain.total([daily_total("S03", net=1300, refund=400, cash=100)])
    chain.plan(days)
    chain.post(days)
    assert before == chain.writes()


def test_day_whose_number_was_voided_is_posted_under_another_prefix(chain: Chain) -> None:
    """As after a trial: the invoices were voided by hand, and the ledger was made anew."""
    days = chain.total([daily_total("S01"), daily_total("S02")])
    chain.plan(days[:1])
    chain.post(days[:1])
    for row in chain.books()["payments"]:
        deleted = {"Status": "DELETED"}
        chain.client.write("POST", f"/Payments/{row['id']}", deleted, idempotency_key=row["id"])
    voided = {"InvoiceNumber": "DB-S01-20260314", "Status": "VOIDED"}
    chain.client.write("POST", "/Invoices", voided, idempotency_key="void")
    lose_ledger(chain)
    chain.plan(days)
    assert 1 == chain.post(days).rejected_count
    (hold,) = status_of(chain, days[0]).holds
    assert "DB-S01-20260314 is voided in Xero" in hold.sentence
    assert "DAYBOOK_INVOICE_PREFIX" in hold.sentence
    plan(chain.engine, days, prefix="NEW", run_id="test", clock=SystemClock())
    chain.post(days)
    assert ["posted", "posted"] == [status_of(chain, day).state for day in days]
    there = {row["number"]: row["status"] for row in chain.books()["invoices"]}
    assert {
        "DB-S01-20260314": "VOIDED",
        "NEW-S01-20260314": "PAID",
        "DB-S02-20260314": "PAID",
    } == there


def test_documents_of_a_lost_ledger_are_adopted(chain: Chain) -> None:
    """The ledger is gone and made anew: the same documents are found in Xero, not doubled."""
    days = planned_days(chain)
    chain.post(days)
    with chain.engine.begin() as connection:
        connection.execute(text("TRUNCATE documents, document_events, store_days CASCADE"))
    chain.plan(days)
    posted = chain.post(days)
    assert 11 == posted.adopted_count
    assert_books_are_right(chain, days)


def test_changed_day_is_put_right_by_the_difference(chain: Chain) -> None:
    """A late sale, then a void: an adjustment invoice, then a credit note, both paid."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    for revision, net in ((2, 1100), (3, 900)):
        chain.total([daily_total("S01", net=net)])
        planned = chain.plan(days)
        assert 1 == planned.adjusted_count
        chain.post(days)
        assert 0 == chain.plan(days).document_count, f"revision {revision} is done"
    assert [("DB-S01-20260314", "11.50"), ("DB-S01-20260314-R2", "1.15")] == [
        (row["number"], row["total"]) for row in chain.books()["invoices"]
    ]
    assert [("DB-S01-20260314-R3-CN", "2.30")] == [
        (row["number"], row["total"]) for row in chain.books()["credit_notes"]
    ]
    (line,) = reconcile(chain.engine, {chain.organisation.organisation_id: chain.client}, days)
    assert 1035 == line.xero_minor == line.line.documents_minor == line.line.paid_minor
    assert ("posted", 0) == (line.line.state, line.due_minor)


def test_changed_day_can_be_held_instead(chain: Chain) -> None:
    """With changed_days = "hold" the change is said, and what is in Xero stays as it is."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    holding = MAPPING.replace("[tracking]", 'changed_days = "hold"\n[tracking]')
    load_mapping(chain.engine, holding, "hold.toml", loaded_by="test", clock=SystemClock())
    before = chain.writes()
    chain.total([daily_total("S01", net=1100)])
    chain.plan(days)
    chain.post(days)
    status = status_of(chain, days[0])
    assert ("failed", [HoldCode.CHANGED_AFTER_POSTING]) == (
        status.state,
        [hold.code for hold in status.holds],
    )
    assert before == chain.writes()


def test_new_mapping_does_not_touch_posted_days(chain: Chain) -> None:
    """Sales that did not change are not posted anew because an account did."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    other = MAPPING.replace('Drinks = "200"', 'Drinks = "201"')
    load_mapping(chain.engine, other, "other.toml", loaded_by="test", clock=SystemClock())
    assert 0 == chain.plan(days).document_count
    assert "posted" == status_of(chain, days[0]).state


def test_unreachable_xero_leaves_everything_planned(chain: Chain) -> None:
    """Nothing was sent, so nothing has to be looked up, and the next run posts it all."""
    days = planned_days(chain)
    chain.fault(match={"path": "/Contacts"}, fault="unavailable", times=20)
    with pytest.raises(Unavailable):
        chain.post(days)
    with chain.engine.connect() as connection:
        states = connection.execute(text("SELECT DISTINCT state FROM documents")).scalars().all()
    assert ["planned"] == list(states)
    chain.control.delete("/_sandbox/faults")
    chain.post(days)
    assert_books_are_right(chain, days)


def test_two_loaders_at_once_post_everything_once(chain: Chain) -> None:
    """One works, the other waits its turn and finds nothing left to do."""
    days = planned_days(chain)
    threads = [Thread(target=chain.post, args=(days,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_books_are_right(chain, days)


def test_loader_that_cannot_wait_leaves(chain: Chain) -> None:
    """While another holds the organisation, a loader says so and touches nothing."""
    with (
        organisation_lock(chain.engine, chain.organisation, wait_seconds=0, clock=SystemClock()),
        pytest.raises(Busy, match="Another run is posting into Kopi Corner"),
        organisation_lock(chain.engine, chain.organisation, wait_seconds=0, clock=SystemClock()),
    ):
        pass


def test_batches_are_filled_across_stores_and_dates(chain: Chain) -> None:
    """Sixty store-days of three stores take two invoice calls, not sixty."""
    totals = [
        daily_total(store_id, DATE - dt.timedelta(days=offset))
        for offset in range(20)
        for store_id in STORES
    ]
    days = chain.total(totals)
    chain.plan(days)
    chain.post(days)
    log = chain.control.get("/_sandbox/requests", params={"writes": "1"}).json()["requests"]
    calls = Counter(row["path"].rpartition("/")[2] for row in log)
    assert {"Contacts": 1, "Invoices": 2, "Payments": 3} == calls
    assert Decimal(690) == sum(Decimal(row["total"]) for row in chain.books()["invoices"])


def test_day_of_refunds_alone_is_read_back(chain: Chain) -> None:
    """A credit note without an invoice is found in Xero, and the day is equal."""
    days = chain.total([daily_total("S01", net=0, refund=500)])
    chain.plan(days)
    chain.post(days)
    (line,) = reconcile(chain.engine, {chain.organisation.organisation_id: chain.client}, days)
    assert -500 == line.xero_minor == line.line.documents_minor == line.line.paid_minor


def test_copy_that_came_late_is_adopted_not_refused(chain: Chain) -> None:
    """Xero says that it is paid already: by the very payments that were thought to be lost."""
    days = planned_days(chain)
    chain.post(days)
    with chain.engine.begin() as connection:
        connection.execute(
            text("UPDATE documents SET state = 'planned', id_xero = NULL WHERE kind = 'payment'")
        )
    posted = chain.post(days)
    assert (0, 7, 0) == (posted.posted_count, posted.adopted_count, posted.rejected_count)
    assert_books_are_right(chain, days)


class Rushed(HurriedClock):
    """Its time may also be made to pass; a long wait lasts until a payment is in Xero."""

    def __init__(self, chain: Chain) -> None:
        """In a hurry."""
        super().__init__(0, 5)
        self._chain = chain

    def sleep(self, seconds: float) -> None:
        """What takes a second until it arrives seems to take five."""
        super().sleep(seconds)
        give_up = time.monotonic() + 60
        while seconds > 5 and not self._chain.books()["payments"]:
            assert time.monotonic() < give_up
            time.sleep(0.05)

    def pass_by(self, seconds: int) -> None:
        """It is so much later."""
        self._skipped += dt.timedelta(seconds=seconds)


@dataclass(frozen=True)
class Queue(Unlimited):
    """Lets each call go after some time."""

    clock: Rushed
    seconds: int

    def acquire(self, tenant_id_xero: str) -> int:
        """So much later."""
        self.clock.pass_by(self.seconds)
        return super().acquire(tenant_id_xero)


@pytest.mark.parametrize("queue_seconds", [0, 60])
def test_late_payment_is_not_doubled_where_a_tender_stays_owed(
    chain: Chain, queue_seconds: int
) -> None:
    """The first is given time to arrive, also where it had waited for its turn before it left."""
    owed = MAPPING.replace('NETS = "892"', 'NETS = "unpaid"')
    load_mapping(chain.engine, owed + "#", "m.toml", loaded_by="test", clock=SystemClock())
    with chain.engine.begin() as connection:
        connection.execute(text("DELETE FROM mappings WHERE content->'tenders'->>'NETS' = '892'"))
    days = chain.total([daily_total("S01", cash=30)])
    chain.plan(days)
    chain.fault(
        match={"method": "PUT", "path": "/Payments"}, nth=1, fault="slow", when="before", seconds=1
    )
    clock = Rushed(chain)

    def be_impatient(request: httpx.Request) -> None:
        """Only where a reply is to be late: a busy machine takes its time over all the others."""
        if request.method == "PUT" and request.url.path.endswith("/Payments"):
            request.extensions["timeout"]["read"] = 0.5

    with httpx.Client(timeout=60, event_hooks={"request": [be_impatient]}) as http:
        queueing = replace(chain.access, http=http, budget=Queue(clock, queue_seconds))
        posted = replace(chain, access=queueing).post(days, clock)
    time.sleep(1)
    assert ["3.45"] == [row["amount"] for row in chain.books()["payments"]]
    assert (1, 1) == (posted.posted_count, posted.adopted_count)


def test_what_a_killed_process_claimed_is_given_time_to_arrive(chain: Chain) -> None:
    """Though it claimed it long ago: it may have sent it in its last second."""
    days = planned_days(chain)
    with chain.engine.begin() as connection:
        waiting = waiting_documents(
            connection, chain.organisation.organisation_id, days, kind=DocumentKind.INVOICE
        )
        ids = [one.document_id for one in waiting]
        claimed_at = SystemClock().now() - dt.timedelta(minutes=10)
        claim(connection, ids, idempotency_key="killed", run_id="killed", now_at=claimed_at)
    clock = HurriedClock(0, 100)
    started_at = clock.now()
    chain.post(days, clock)
    assert clock.now() - started_at >= dt.timedelta(seconds=ARRIVAL_SECONDS)
    assert_books_are_right(chain, days)


def test_payment_refused_for_what_a_person_paid_stays_refused(chain: Chain) -> None:
    """What stands in the way is not ours: the day says so, and nothing is sent again and again."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    with chain.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE documents SET state = 'planned', id_xero = NULL, content = jsonb_set("
                "content, '{reference}', '\"paid by a person\"') WHERE kind = 'payment'"
            )
        )
    before = chain.writes()
    posted = chain.post(days)
    assert (2, 1) == (posted.rejected_count, chain.writes() - before)
    (hold, _) = status_of(chain, days[0]).holds
    assert HoldCode.REFUSED == hold.code
    assert "Compare its payments in Xero with the day's tenders" in hold.sentence


def test_refused_contact_keeps_only_its_own_store_back(chain: Chain) -> None:
    """Xero takes no contact with angle brackets; the other stores are posted."""
    own = '\n[stores.S02]\ncontact = "<S02>"\n'
    load_mapping(chain.engine, MAPPING + own, "m.toml", loaded_by="test", clock=SystemClock())
    with chain.engine.begin() as connection:
        connection.execute(text("DELETE FROM mappings WHERE content->'stores' = '{}'"))
    days = chain.total([daily_total("S01"), daily_total("S02"), daily_total("S03")])
    chain.plan(days)
    posted = chain.post(days)
    assert (1, 6) == (posted.rejected_count, posted.posted_count)
    assert ["posted", "failed", "posted"] == [status_of(chain, day).state for day in days]
