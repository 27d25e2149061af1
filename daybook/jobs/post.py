"""Posts planned documents into one organisation: intent first, then the call, then its outcome.

The order is what makes it exact: (1) the batch is claimed, planned -> sending, and committed with
its idempotency key; (2) one call sends it; (3) what Xero answered for each element is committed. A
crash or a lost reply between (1) and (3) leaves rows in `sending` or `unknown`, and nothing new is
sent before each of them has been looked up in Xero.

A few calls are under way at once, in threads that do nothing else. Intents and outcomes are written
by the thread that holds the organisation's lock, on the connection that holds it.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from daybook.errors import FinalError, RateLimited, Refused, RetryableError, UnknownOutcome
from daybook.jobs.settle import look_up, may_be_there, settlement_of
from daybook.ledger.documents import (
    Settlement,
    claim,
    ids_in_use,
    settle,
    unsettled_documents,
    waiting_documents,
)
from daybook.ledger.expense_documents import settle_expenses, waiting_expense_documents
from daybook.ledger.organisation_lock import organisation_lock
from daybook.ledger.store_days import settle_store_days
from daybook.posting.documents import (
    MONEY_KINDS,
    DocumentKind,
    Payment,
    SalesDocument,
    SpendMoney,
)
from daybook.xero.documents import (
    Rejected,
    put_bank_transactions,
    put_credit_notes,
    put_invoices,
    put_payments,
)
from daybook.xero.reference_data import ensure_contacts
from daybook.xero.wire import PaymentToSend

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.documents import OpenDocument, State, WaitingDocument
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay
    from daybook.xero.client import XeroClient
    from daybook.xero.documents import Outcome

BATCH_DOCUMENTS: Final = 50  # what Xero advises per call
BATCH_BYTES: Final = 1_500_000  # of our own form; on the wire at most twice that, Xero takes 3.5 MB
CALLS_AT_ONCE: Final = 4  # Xero allows five to an organisation; one is left to people
# What a process sent before it was killed may be on its way still: it is not looked up earlier.
ARRIVAL_SECONDS: Final = 10
_ROUNDS: Final = 5
_DAY_WAIT_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Posted:
    """What one posting came to, in documents."""

    posted_count: int = 0
    adopted_count: int = 0
    rejected_count: int = 0
    unknown_count: int = 0

    def __str__(self) -> str:
        """For the log."""
        return (
            f"{self.posted_count} posted, {self.adopted_count} found in Xero, "
            f"{self.rejected_count} refused, {self.unknown_count} to be looked at"
        )


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
    contacts: dict[str, str | Rejected] = field(default_factory=dict)


@dataclass(slots=True)
class _Round:
    """One pass over what is waiting, and what it left to be looked up."""

    flights: dict[Future[Sequence[Outcome]], list[OpenDocument]] = field(default_factory=dict)
    refused: dict[int, Settlement] = field(default_factory=dict)  # "it is there already", says Xero
    posted_count: int = 0
    has_unknown: bool = False
    error: Exception | None = None

    @property
    def goes_on(self) -> bool:
        """Whether more may be sent: not while the outcome of something is unknown."""
        return not self.has_unknown and self.error is None


def post(  # noqa: PLR0913 - the composition of one posting
    engine: Engine,
    client: XeroClient,
    organisation: Organisation,
    store_days: Collection[StoreDay],
    *,
    run_id: str,
    clock: Clock,
    lock_wait_seconds: float = 600,
    expense_ids: Collection[str] = (),
    calls_at_once: int = CALLS_AT_ONCE,
    waits_for_day: bool = False,
    progress: Callable[[str], None] = lambda _sentence: None,
) -> Posted:
    """Post every planned document of these store-days and expenses; a refused one stops no other.

    With `waits_for_day` a run that has used up the calls of the day lets go of the organisation,
    says when it goes on, and goes on by itself.

    Raises `Busy` when another run keeps the organisation, and `RetryableError` or `UnknownOutcome`
    when Xero or a limit ends the work early: what was not sent is still planned.
    """
    last: dict[int, Settlement] = {}
    while True:
        try:
            with organisation_lock(
                engine, organisation, wait_seconds=lock_wait_seconds, clock=clock
            ) as connection:
                _post_all(
                    Posting(
                        connection,
                        client,
                        organisation,
                        run_id,
                        clock,
                        progress,
                        calls_at_once,
                        last,
                        set(store_days),
                        expense_ids,
                    ),
                    store_days,
                )
            return _counted(last)
        except RateLimited as error:
            if not waits_for_day or error.problem != "day":
                raise
            progress(f"{organisation.name}: {error}")
            clock.sleep(error.retry_after_seconds or _DAY_WAIT_SECONDS)


def batches(waiting: Iterable[WaitingDocument]) -> Iterator[list[WaitingDocument]]:
    """Documents in the order given, cut where a call would hold too many of them or too many bytes.

    Payments of one document stay together: once they have arrived it is paid, and Xero refuses
    every copy of them, however late it comes.
    """
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


def _counted(last: dict[int, Settlement]) -> Posted:
    """Where each document that was touched ended up."""
    adopted = sum(1 for one in last.values() if one.event == "adopted")
    states = Counter(one.state for one in last.values())
    return Posted(states["posted"] - adopted, adopted, states["rejected"], states["unknown"])


def _post_all(posting: Posting, store_days: Collection[StoreDay]) -> None:
    try:
        _settle_unsettled(posting)
        for kind in DocumentKind:  # payments come after what they are paid on
            _post_kind(posting, store_days, kind)
    finally:
        with posting.connection.begin():
            settle_store_days(
                posting.connection,
                posting.store_days,
                run_id=posting.run_id,
                now_at=posting.clock.now(),
            )
            settle_expenses(
                posting.connection,
                posting.organisation.organisation_id,
                run_id=posting.run_id,
                now_at=posting.clock.now(),
            )


def _waiting(
    posting: Posting, store_days: Collection[StoreDay], kind: DocumentKind
) -> list[WaitingDocument]:
    """What can be sent now, of one kind, oldest first."""
    organisation_id = posting.organisation.organisation_id
    with posting.connection.begin():
        if kind in MONEY_KINDS:
            return waiting_expense_documents(
                posting.connection, organisation_id, posting.expense_ids, kind=kind
            )
        return waiting_documents(posting.connection, organisation_id, store_days, kind=kind)


def _post_kind(posting: Posting, store_days: Collection[StoreDay], kind: DocumentKind) -> None:
    """Send every document of one kind; what a lookup found absent goes out in the next round."""
    name = f"{posting.organisation.name}: {kind.replace('_', ' ')}s"
    rounds_lost = 0
    while rounds_lost < _ROUNDS:
        waiting = _waiting(posting, store_days, kind)
        if not waiting:
            return
        try:
            _find_contacts(posting, waiting)
        except UnknownOutcome:
            rounds_lost += 1
            continue
        this_round = _send_all(posting, waiting, name)
        if this_round.has_unknown or this_round.refused:
            _settle_unsettled(posting, this_round.refused)
        if this_round.error:
            raise this_round.error
        rounds_lost = 0 if this_round.posted_count else rounds_lost + 1
    raise UnknownOutcome(
        f"{name}: replies were lost {_ROUNDS} times in a row. Nothing is lost or doubled: run it "
        "again when the connection to Xero is better."
    )


def _send_all(posting: Posting, waiting: Sequence[WaitingDocument], name: str) -> _Round:
    """Claim and send batches, a few calls at once, until all are sent or something goes wrong."""
    this_round = _Round()
    queue = batches(waiting)
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
            for flight in landed:
                claimed = this_round.flights.pop(flight)
                _land(posting, this_round, claimed, flight)
                done_count += len(claimed)
            posting.progress(f"{name} {done_count} of {len(waiting)}")


def _take_off(
    posting: Posting, this_round: _Round, pool: ThreadPoolExecutor, document_ids: Sequence[int]
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
    this_round: _Round,
    claimed: Sequence[OpenDocument],
    flight: Future[Sequence[Outcome]],
) -> None:
    """Commit what became of one batch."""
    try:
        outcomes = flight.result()
    except UnknownOutcome as error:
        this_round.has_unknown = True
        _record(posting, _all(claimed, "unknown", f"reply lost: {error}"))
    except RetryableError as error:  # nothing was done; of no other error is that certain
        this_round.error = this_round.error or error
        _record(posting, _all(claimed, "planned", f"not sent: {error}"))
    except FinalError as error:
        this_round.error = this_round.error or error
        _record(posting, _all(claimed, "unknown", f"refused as a whole: {error}"))
    else:
        settlements = []
        for one, outcome in zip(claimed, outcomes, strict=True):
            settlement = settlement_of(one, outcome)
            if may_be_there(outcome):
                this_round.refused[one.document_id] = settlement
                settlement = Settlement(one.document_id, "unknown", "perhaps there already")
            elif settlement.state == "unknown":
                this_round.has_unknown = True
            this_round.posted_count += settlement.state == "posted"
            settlements.append(settlement)
        _record(posting, settlements)


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


def _find_contacts(posting: Posting, waiting: Sequence[WaitingDocument]) -> None:
    """Look up, or create, every contact these documents need; a refused one stops no other."""
    names = sorted({one.contact_name for one in waiting} - {""} - posting.contacts.keys())
    if not names:
        return
    try:
        posting.contacts.update(ensure_contacts(posting.client, names))
    except Refused as refusal:
        if len(names) == 1:
            words = refusal.messages or (str(refusal),)
            posting.contacts[names[0]] = Rejected(words)
            return
        for name in names:
            _find_contacts(posting, [one for one in waiting if one.contact_name == name])


def _settle_unsettled(posting: Posting, refused: dict[int, Settlement] | None = None) -> None:
    """Look up everything whose outcome is not known, before anything new is sent.

    What Xero refused as being there already, and what is not there after all, stays refused.
    """
    with posting.connection.begin():
        unsettled = unsettled_documents(posting.connection, posting.organisation.organisation_id)
    if not unsettled:
        return
    posting.progress(f"{posting.organisation.name}: looking up {len(unsettled)} in Xero")
    _await_arrival(posting, unsettled)

    def in_use(ids_xero: Collection[str]) -> frozenset[str]:
        with posting.connection.begin():
            return ids_in_use(posting.connection, posting.organisation.organisation_id, ids_xero)

    settlements = look_up(posting.client, unsettled, in_use)
    _record(
        posting,
        [
            (refused or {}).get(one.document_id, one) if one.state == "planned" else one
            for one in settlements
        ],
    )
    posting.store_days.update(one.store_day for one in unsettled if one.store_day)


def _await_arrival(posting: Posting, unsettled: Sequence[OpenDocument]) -> None:
    """Wait until what a killed process sent last has reached Xero, or never will."""
    sent_at = [one.sent_at for one in unsettled if one.state == "sending"]
    if sent_at:
        passed_seconds = (posting.clock.now() - max(sent_at)).total_seconds()
        # A clock that was set back makes it negative.
        posting.clock.sleep(ARRIVAL_SECONDS - min(max(passed_seconds, 0), ARRIVAL_SECONDS))


def _all(claimed: Sequence[OpenDocument], state: State, event: str) -> list[Settlement]:
    return [Settlement(one.document_id, state, event) for one in claimed]


def _record(posting: Posting, settlements: Sequence[Settlement]) -> None:
    with posting.connection.begin():
        settle(posting.connection, settlements, actor=posting.run_id, now_at=posting.clock.now())
    posting.last.update((one.document_id, one) for one in settlements)
