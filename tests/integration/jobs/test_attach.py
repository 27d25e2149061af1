"""Receipts on their way to Xero: how many calls they take, how fast, and what a lost reply does."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from event_clock import EventClock
from expense_check import assert_books
from expense_place import attaching_of, connected_expenses
from PIL import Image

from daybook.clock import SystemClock
from daybook.expenses.attachment_limits import FitLimits
from daybook.expenses.backoff import RetryPolicy
from daybook.jobs import attach
from daybook.jobs.attach import attach_receipts
from daybook.ledger.call_budget import LedgerCallBudget, Limits
from daybook.spend.receipts_api import ReceiptsApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace

    from daybook.expenses.attachment_verdicts import Upload
    from daybook.xero.client import XeroClient

MANY = {"receipt_share": 0.92, "second_receipt_share": 0.33, "broken_share": 0.03}
OVER_FLOOR = 1.05


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """An organisation and an Aspire of the test's own."""
    with connected_expenses(database_url) as connected:
        yield connected


def calls_since(place: ExpensePlace, began_at: dt.datetime) -> Counter[int]:
    """Calls of Xero's API by status."""
    rows = place.control.get(
        "/_sandbox/requests", params={"path": "/api.xro/", "limit": "100000"}
    ).json()["requests"]
    began = began_at.isoformat(timespec="milliseconds")
    return Counter(row["status"] for row in rows if row["at"] >= began)


def test_a_batch_takes_the_fewest_calls_and_the_least_time(database_url: str) -> None:
    """At 60 calls a minute: within 5 % of one call for 50 expenses and one for each file."""
    with connected_expenses(database_url) as connected:
        world = connected.world(transaction_count=300, refund_share=0, many_share=0.02, **MANY)
        connected.extract()
        connected.control.post("/_sandbox/limits", json={"enabled": True, "reset": True})
        clock = EventClock(connected.control, SystemClock().now())
        access = replace(
            connected.access,
            budget=LedgerCallBudget(connected.engine, clock, Limits()),
            clock=clock,
        )
        place = replace(connected, access=access, clock=clock, at_once=1)
        with clock.taking_part():
            place.sync()
            place.attach()
        made = calls_since(place, clock.started_at)
        ended_at = clock.now()
        place.control.post("/_sandbox/limits", json={"enabled": False})
        arrived = assert_books(connected, world)
        assert {200} == set(made)
        floor = 300 / 50 + arrived.file_count
        # Chart, lock dates, contacts: a handful a run, whatever its size.
        assert OVER_FLOOR * floor >= made[200]
        least_seconds = 60 * ((made[200] - 1) // 60)
        assert least_seconds > 300
        assert OVER_FLOOR * least_seconds >= (ended_at - clock.started_at).total_seconds()


def test_random_faults_lose_and_double_nothing(place: ExpensePlace) -> None:
    """Replies and requests are lost: each expense once, each file once, the others named."""
    world = place.world(transaction_count=60, many_share=0.05, large_share=0.03, **MANY)
    place.extract()
    for path in ("/BankTransactions", "*/Attachments/*"):
        for fault in ("lost_reply", "lost_request", "server_error"):
            match = {"method": "PUT", "path": path}
            place.fault(match=match, probability=0.06, fault=fault)
    place.sync()
    for _ in range(3):
        place.attach(RetryPolicy(attempts_max=20, first_wait=dt.timedelta(0)))
    assert_books(place, world)


def test_lost_uploads_of_one_expense_are_looked_up_in_one_list(place: ExpensePlace) -> None:
    """Three files of a run that was killed: one list says that all of them are there."""
    place.world(transaction_count=1, refund_share=0, receipt_share=0)
    only = place.control.get("/_sandbox/aspire").json()["transactions"][0]
    place.extract()
    place.sync()
    for number in range(3):
        place.upload(only["id"], f"{number}.txt", f"part {number}".encode())
    place.extract()
    place.attach()
    with place.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE expense_attachments SET state = 'uploading', uploaded_name = NULL"
        )
    lists = place.requests("GET", "/Attachments")
    assert 3 == place.attach().uploaded_count
    assert 1 == place.requests("GET", "/Attachments") - lists
    assert 3 == place.requests("PUT", "/Attachments/")


def test_limits_of_a_source_win(place: ExpensePlace) -> None:
    """Three receipts, and room for two: two become one PDF, and a late one finds no room."""
    place.world(transaction_count=1, refund_share=0, receipt_share=0)
    only = place.control.get("/_sandbox/aspire").json()["transactions"][0]
    for colour in ("red", "green", "blue", "white"):
        if colour == "white":
            place.extract()
            place.sync()
            within = replace(place, source_limits={"aspire": FitLimits(count_max=2)})
            assert 3 == within.attach().uploaded_count
        place.upload(only["id"], f"{colour}.png", picture(colour))
    names = stored_names(place)
    assert 2 == len(names)
    assert any(name.endswith(".pdf") for name in names)
    place.extract()
    attached = within.attach()
    assert "which takes no more of them" in attached.sentences[0]
    assert names == stored_names(place)


def stored_names(place: ExpensePlace) -> list[str]:
    """The names of all files in Xero."""
    books = place.sandbox.simulation.organisations[place.organisation.tenant_id_xero]
    return sorted(one.file_name for one in books.attachments)


def picture(colour: str, width: int = 200) -> bytes:
    """A receipt, as it were."""
    stream = io.BytesIO()
    Image.new("RGB", (width, 300), colour).save(stream, "PNG")
    return stream.getvalue()


def synced(place: ExpensePlace, receipt_count: int) -> str:
    """The id of an expense in Xero that so many receipts are found for."""
    place.world(transaction_count=1, refund_share=0, receipt_share=0)
    only: str = place.control.get("/_sandbox/aspire").json()["transactions"][0]["id"]
    for number in range(receipt_count):
        place.upload(only, f"r{number:02d}.png", picture("red", 60 + number))
    place.extract()
    place.sync()
    return only


def states(place: ExpensePlace) -> dict[str, str]:
    """Where each receipt stands, by its name."""
    [one] = place.expenses()
    return {each.ref.name: each.state for each in one.attachments}


@pytest.mark.parametrize("sent_count", [3, 10])
def test_late_receipt_after_a_killed_run_doubles_nothing(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, sent_count: int
) -> None:
    """What the run sent is recognised, however the rest is merged; none is there twice."""
    only = synced(place, 12)
    send = attach._upload  # noqa: SLF001 - the moment a run is killed at
    begun: list[Upload] = []

    def dying(client: XeroClient, id_xero: str, upload: Upload) -> None:
        if len(begun) == sent_count:
            raise KeyboardInterrupt
        send(client, id_xero, upload)
        begun.append(upload)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(attach, "_upload", dying)
        patch.setattr(attach, "write_outcomes", die)
        with pytest.raises(KeyboardInterrupt):
            place.attach()
    assert sent_count == len(stored_names(place))
    place.upload(only, "a-late.png", picture("blue"))
    place.extract()
    place.attach()
    found = states(place)
    late = found.pop("a-late.png")
    assert {"uploaded"} == set(found.values())
    assert ("given_up" if sent_count == 10 else "uploaded") == late
    pages = [hash_ for upload in begun for hash_ in upload.made_from]
    assert len(pages) == len(set(pages))
    [one] = place.expenses()
    recorded = {each.uploaded_name for each in one.attachments if each.uploaded_name}
    assert recorded == set(stored_names(place))
    assert 10 == len(stored_names(place))


def test_files_a_person_attached_take_room(place: ExpensePlace) -> None:
    """Two are a bookkeeper's: two late receipts become one file, another finds no room."""
    only = synced(place, 7)
    place.attach()
    [row] = place.bank_transactions()
    for name in ("note.txt", "contract.txt"):
        path = f"/BankTransactions/{row['BankTransactionID']}/Attachments/{name}"
        place.client.upload(path, b"by hand", content_type="text/plain", idempotency_key=name)
    for number in (1, 2):
        place.upload(only, f"late-{number}.png", picture("blue", 100 + number))
    place.extract()
    place.attach()
    assert 10 == len(stored_names(place))
    assert {"uploaded"} == set(states(place).values())
    place.upload(only, "last.png", picture("white"))
    place.extract()
    attached = place.attach()
    assert 1 == attached.given_up_count
    assert "remove one there" in attached.sentences[0]
    assert 10 == len(stored_names(place))


def test_receipt_of_a_source_that_is_gone_says_what_to_set(place: ExpensePlace) -> None:
    """It fails like any other, so that it stops no other; what to do is said."""
    synced(place, 2)
    whole = attaching_of(place.client, place.aspire, place.fitter, place.clock)
    gone = replace(whole, receipts={})
    attached = attach_receipts(place.engine, place.organisation, gone, None)
    assert (0, 2) == (attached.uploaded_count, attached.failed_count)
    assert all("DAYBOOK_ASPIRE_CLIENT_ID" in said for said in attached.sentences)
    assert all("--skip" in said for said in attached.sentences)


class OddReceipts(ReceiptsApi):
    """A store that fails in a way nobody foresaw for receipts of one name."""

    odd_key = ""

    def read(self, key: str) -> bytes:
        """The content, or the failure."""
        if key == self.odd_key:
            raise ValueError(key)
        return super().read(key)


def test_failure_that_nobody_foresaw_stops_no_other_expense(
    place: ExpensePlace, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again later like any other; the other expense's receipt is attached.

    Where it happened stands in the log.
    """
    place.world(transaction_count=2, refund_share=0, receipt_share=0)
    first, second = (
        row["id"] for row in place.control.get("/_sandbox/aspire").json()["transactions"]
    )
    place.upload(first, "odd.png", picture("red", 60))
    place.upload(second, "sound.png", picture("red", 61))
    place.extract()
    place.sync()
    receipts = OddReceipts(place.aspire)
    receipts.odd_key = next(
        each.ref.key
        for one in place.expenses()
        for each in one.attachments
        if each.ref.name == "odd.png"
    )
    whole = attaching_of(place.client, place.aspire, place.fitter, place.clock)
    attaching = replace(whole, receipts={"aspire": receipts})
    attached = attach_receipts(place.engine, place.organisation, attaching, None)
    assert (1, 1) == (attached.uploaded_count, attached.failed_count)
    assert "not foreseen (ValueError)" in attached.sentences[0]
    assert "ValueError" in caplog.text
    assert f"aspire-{first}" in caplog.text or f"aspire-{second}" in caplog.text
