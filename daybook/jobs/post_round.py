"""One round of a posting: claims batches, sends them, and commits what became of each.

A few calls are under way at once, in threads that do nothing else. Intents and outcomes are written
by the thread that holds the organisation's lock, on the connection that holds it. A round stops
sending when the outcome of something is unknown, and when another run waits for its turn.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from daybook.errors import FinalError, RefusedWhole, RetryableError, UnknownOutcome
from daybook.jobs.settle import may_be_there, settlement_of
from daybook.ledger.documents import Settlement, claim, settle
from daybook.ledger.organisation_lock import somebody_waits
from daybook.posting.documents import DocumentKind, Payment, SalesDocument, SpendMoney
from daybook.xero.documents import (
    Rejected,
    put_bank_transactions,
    put_credit_notes,
    put_invoices,
    put_payments,
)
from daybook.xero.wire import PaymentToSend

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from daybook.clock import Clock
    from daybook.ledger.documents import OpenDocument, State, WaitingDocument
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay
    from daybook.xero.client import XeroClient
    from daybook.xero.documents import Outcome

REPLY_LOST: Final = "reply lost"  # how the event of a document begins that may still arrive
BATCH_DOCUMENTS: Final = 50  # what Xero advises per call
BATCH_BYTES: Final = 1_500_000  # of our own form; on the wire at most twice that, Xero takes 3.5 MB
# Batches refused as a whole in a row, while nothing was posted: with more it is not a document that
# is at fault. To come to the first culprit of 50 takes 6, and each one right behind it 2.
_REFUSED_MAX: Final = 24


@dataclass(slots=True)
class Narrowing:
    """What a run knows of batches that were refused as a whole."""

    parts: dict[int, int] = field(default_factory=dict)  # by document: the part of a batch it is in
    set_aside: dict[int, RefusedWhole] = field(default_factory=dict)  # by document: not sent now
    refused_count: int = 0  # since something was posted

    @property
    def is_stuck(self) -> bool:
        """Whether refusal has followed refusal for so long that narrowing down is no use."""
        return self.refused_count > _REFUSED_MAX


@dataclass(frozen=True, slots=True)
class Posting:
    """One run's work in one organisation: everything its steps need."""

    connection: Connection
    client: XeroClient
    organisation: Organisation
    run_id: str
    clock: Clock
    progress: Callable[[str], None]
    calls_at_once: int
    last: dict[int, Settlement]  # by document: what became of it last
    store_days: set[StoreDay]  # all that were touched
    expense_ids: Collection[str]
    turn_ends_at: dt.datetime  # not before it does a run that waits get its turn
    contacts: dict[str, str | Rejected]
    narrowing: Narrowing


@dataclass(slots=True)
class Round:
    """One pass over what is waiting, and what it left to be looked up."""

    flights: dict[Future[Sequence[Outcome]], list[OpenDocument]] = field(default_factory=dict)
    refused: dict[int, Settlement] = field(default_factory=dict)  # "it is there already", says Xero
    has_progress: bool = False
    has_unknown: bool = False
    is_turn_over: bool = False
    error: Exception | None = None

    @property
    def goes_on(self) -> bool:
        """Whether more may be sent: not while the outcome of something is unknown."""
        return not self.has_unknown and not self.is_turn_over and self.error is None


def batches(
    waiting: Iterable[WaitingDocument], parts: Mapping[int, int] = MappingProxyType({})
) -> Iterator[list[WaitingDocument]]:
    """Documents in the order given, cut where a call would hold too many of them or too many bytes.

    Payments of one document stay together: once they have arrived it is paid, and Xero refuses
    every copy of them, however late it comes. `parts` of a batch go out each by itself.
    """
    for _, part in groupby(waiting, key=lambda one: parts.get(one.document_id)):
        yield from _cut(part)


def _cut(waiting: Iterable[WaitingDocument]) -> Iterator[list[WaitingDocument]]:
    batch: list[WaitingDocument] = []
    for _, grouped in groupby(waiting, key=attrgetter("group_id")):
        group = list(grouped)
        if batch and not _fits([*batch, *group]):
            yield batch
            batch = []
        for one in group:
            if batch and not _fits([*batch, one]):
                yield batch
                batch = []
            batch.append(one)
    if batch:
        yield batch


def _fits(batch: list[WaitingDocument]) -> bool:
    return len(batch) <= BATCH_DOCUMENTS and sum(one.byte_count for one in batch) <= BATCH_BYTES


def send_round(posting: Posting, waiting: Sequence[WaitingDocument], name: str) -> Round:
    """Claim and send batches, a few calls at once, until all are sent or something goes wrong."""
    this_round = Round()
    queue = batches(waiting, posting.narrowing.parts)
    done_count = 0
    with ThreadPoolExecutor(posting.calls_at_once, thread_name_prefix="xero") as pool:
        while True:
            while this_round.goes_on and len(this_round.flights) < posting.calls_at_once:
                batch = next(queue, None)
                if batch is None:
                    break
                _take_off(posting, this_round, pool, [one.document_id for one in batch])
            if not this_round.flights:
                return this_round
            landed, _ = wait(this_round.flights, return_when=FIRST_COMPLETED)
            # One commit for all that have landed meanwhile: the database is what takes longest.
            settlements: list[Settlement] = []
            for flight in landed:
                claimed = this_round.flights.pop(flight)
                settlements += _land(posting, this_round, claimed, flight)
            record(posting, settlements)
            done_count += len(settlements)
            posting.progress(f"{name} {done_count} of {len(waiting)}")
            this_round.is_turn_over = this_round.is_turn_over or _is_turn_over(posting)


def _is_turn_over(posting: Posting) -> bool:
    return posting.clock.now() >= posting.turn_ends_at and somebody_waits(
        posting.connection, posting.organisation
    )


def _take_off(
    posting: Posting, this_round: Round, pool: ThreadPoolExecutor, document_ids: Sequence[int]
) -> None:
    """Commit the intent of one batch and send it."""
    key = f"daybook-{uuid4().hex}"
    with posting.connection.begin():
        claimed = claim(
            posting.connection,
            document_ids,
            idempotency_key=key,
            run_id=posting.run_id,
            now_at=posting.clock.now(),
        )
    if claimed:
        flight = pool.submit(_send, posting.client, claimed, posting.contacts, key)
        this_round.flights[flight] = claimed


def _land(
    posting: Posting,
    this_round: Round,
    claimed: Sequence[OpenDocument],
    flight: Future[Sequence[Outcome]],
) -> list[Settlement]:
    """Say what became of one batch."""
    try:
        outcomes = flight.result()
    except RefusedWhole as refusal:
        this_round.has_unknown = True
        _narrow_down(posting, this_round, claimed, refusal)
        return _all(claimed, "unknown", f"refused as a whole: {refusal}")
    except UnknownOutcome as error:
        this_round.has_unknown = True
        return _all(claimed, "unknown", f"{REPLY_LOST}: {error}")
    except RetryableError as error:  # nothing was done; of no other error is that certain
        this_round.error = this_round.error or error
        return _all(claimed, "planned", f"not sent: {error}")
    except FinalError as error:
        this_round.error = this_round.error or error
        return _all(claimed, "unknown", f"refused as a whole: {error}")
    else:
        settlements = []
        for one, outcome in zip(claimed, outcomes, strict=True):
            settlement = settlement_of(one, outcome)
            if may_be_there(outcome):
                this_round.refused[one.document_id] = settlement
                settlement = Settlement(one.document_id, "unknown", "perhaps there already")
            elif settlement.state == "unknown":
                this_round.has_unknown = True
            if settlement.state == "posted":
                this_round.has_progress = True
                posting.narrowing.refused_count = 0
            settlements.append(settlement)
        return settlements


def _narrow_down(
    posting: Posting, this_round: Round, claimed: Sequence[OpenDocument], refusal: RefusedWhole
) -> None:
    """Let a batch whose refusal names no element go out in halves, until the culprit is alone.

    First all of it is looked up, for Xero may have saved some. Payments of one document are never
    sent apart: what is not in Xero of them is refused together. Where refusal follows refusal a
    batch is set aside whole instead, so that few calls are spent and good batches still go out.
    """
    narrowing = posting.narrowing
    narrowing.refused_count += 1
    this_round.has_progress = True
    groups = [list(group) for _, group in groupby(claimed, key=_group_of)]
    if narrowing.is_stuck:
        narrowing.set_aside.update((one.document_id, refusal) for one in claimed)
    elif len(groups) == 1:
        outcome = Rejected(refusal.messages)
        this_round.refused.update((one.document_id, settlement_of(one, outcome)) for one in claimed)
    else:
        part = max(narrowing.parts.values(), default=0)
        middle = len(groups) // 2
        for position, group in enumerate(groups):
            number = part + 1 + (position >= middle)
            narrowing.parts.update((one.document_id, number) for one in group)


def _group_of(one: OpenDocument) -> str | int:
    return one.parent_id_xero or one.document_id


def _send(
    client: XeroClient,
    claimed: Sequence[OpenDocument],
    contacts: dict[str, str | Rejected],
    key: str,
) -> Sequence[Outcome]:
    """One call for documents of one kind; those whose contact Xero refused are not in it."""
    documents = [one.document for one in claimed if not isinstance(one.document, Payment)]
    if not documents:
        return put_payments(client, [_to_send(one) for one in claimed], idempotency_key=key)
    known = {name: found for name, found in contacts.items() if isinstance(found, str)}
    sendable = [one for one in documents if one.contact_name in known]
    outcomes = iter(_put(client, sendable, known, key) if sendable else ())
    return [
        next(outcomes) if isinstance(found, str) else found
        for found in (contacts[one.contact_name] for one in documents)
    ]


def _put(
    client: XeroClient,
    documents: Sequence[SalesDocument | SpendMoney],
    contact_ids: Mapping[str, str],
    key: str,
) -> Sequence[Outcome]:
    """One call for documents of one kind that have a contact."""
    money = [one for one in documents if isinstance(one, SpendMoney)]
    if money:
        return put_bank_transactions(client, money, contact_ids=contact_ids, idempotency_key=key)
    sales = [one for one in documents if isinstance(one, SalesDocument)]
    put = put_invoices if sales[0].kind is DocumentKind.INVOICE else put_credit_notes
    return put(client, sales, contact_ids=contact_ids, idempotency_key=key)


def _to_send(one: OpenDocument) -> PaymentToSend:
    assert isinstance(one.document, Payment), "claimed documents are of one kind"
    assert one.parent_kind is not None, "a payment has a parent"
    assert one.parent_id_xero is not None, "its parent is posted"
    return PaymentToSend(one.document, one.parent_kind, one.parent_id_xero)


def _all(claimed: Sequence[OpenDocument], state: State, event: str) -> list[Settlement]:
    return [Settlement(one.document_id, state, event) for one in claimed]


def record(posting: Posting, settlements: Sequence[Settlement]) -> None:
    """Commit what became of documents."""
    with posting.connection.begin():
        settle(posting.connection, settlements, actor=posting.run_id, now_at=posting.clock.now())
    posting.last.update((one.document_id, one) for one in settlements)
