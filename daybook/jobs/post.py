"""Posts planned documents into one organisation: intent first, then the call, then its outcome.

The order is what makes it exact: (1) the batch is claimed, planned -> sending, and committed with
its idempotency key; (2) one call sends it; (3) what Xero answered for each element is committed. A
crash or a lost reply between (1) and (3) leaves rows in `sending` or `unknown`, and nothing new is
sent before each of them has been looked up in Xero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from daybook.errors import FinalError, RetryableError, UnknownOutcome
from daybook.jobs.settle import look_up, settlement_of
from daybook.ledger.documents import (
    Settlement,
    claim,
    settle,
    unsettled_documents,
    waiting_documents,
)
from daybook.ledger.organisation_lock import organisation_lock
from daybook.ledger.store_days import settle_store_days
from daybook.posting.documents import DocumentKind, Payment, SalesDocument
from daybook.xero.documents import put_credit_notes, put_invoices, put_payments
from daybook.xero.reference_data import ensure_contacts
from daybook.xero.wire import PaymentToSend

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.documents import OpenDocument, State
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay
    from daybook.xero.client import XeroClient
    from daybook.xero.documents import Outcome

BATCH_DOCUMENTS: Final = 50  # what Xero advises per call
BATCH_BYTES: Final = 1_500_000  # of our own form; on the wire at most twice that, Xero takes 3.5 MB
_ROUNDS: Final = 5


@dataclass(slots=True)
class Posted:
    """What one posting came to, in documents."""

    posted_count: int = 0
    adopted_count: int = 0
    rejected_count: int = 0
    unknown_count: int = 0

    def add(self, settlements: Sequence[Settlement]) -> None:
        """Count what became of some documents."""
        for one in settlements:
            if one.event == "adopted":
                self.adopted_count += 1
            elif one.state == "posted":
                self.posted_count += 1
            elif one.state == "rejected":
                self.rejected_count += 1
            elif one.state == "unknown":
                self.unknown_count += 1


@dataclass(frozen=True, slots=True)
class Posting:
    """One run's work in one organisation: everything its steps need."""

    connection: Connection
    client: XeroClient
    organisation: Organisation
    run_id: str
    clock: Clock
    progress: Callable[[str], None]
    counts: Posted = field(default_factory=Posted)
    contact_ids: dict[str, str] = field(default_factory=dict)


def post(  # noqa: PLR0913 - the composition of one posting
    engine: Engine,
    client: XeroClient,
    organisation: Organisation,
    store_days: Collection[StoreDay],
    *,
    run_id: str,
    clock: Clock,
    lock_wait_seconds: float = 600,
    progress: Callable[[str], None] = lambda _sentence: None,
) -> Posted:
    """Post every planned document of these store-days; documents refused by Xero stop no others.

    Raises `Busy` when another run keeps the organisation, and `RetryableError` when Xero or a limit
    ends the work early: what was not sent is still planned.
    """
    with organisation_lock(
        engine, organisation, wait_seconds=lock_wait_seconds, clock=clock
    ) as connection:
        posting = Posting(connection, client, organisation, run_id, clock, progress)
        try:
            _settle_unsettled(posting)
            for kind in DocumentKind:  # payments come last: they need what they are paid on
                _post_kind(posting, store_days, kind)
        finally:
            with connection.begin():
                settle_store_days(connection, store_days, run_id=run_id, now_at=clock.now())
    return posting.counts


def _post_kind(posting: Posting, store_days: Collection[StoreDay], kind: DocumentKind) -> None:
    """Send every document of one kind; what a lookup found absent goes out in the next round."""
    name = f"{posting.organisation.name}: {kind.replace('_', ' ')}s"
    for _ in range(_ROUNDS):
        with posting.connection.begin():
            waiting = waiting_documents(
                posting.connection, posting.organisation.organisation_id, store_days, kind=kind
            )
        if not waiting:
            return
        done = 0
        for batch in batches(waiting):
            _post_batch(posting, batch)
            done += len(batch)
            posting.progress(f"{name} {done} of {len(waiting)}")
    raise UnknownOutcome(
        f"{name}: replies were lost {_ROUNDS} times in a row. Nothing is lost or doubled: run it "
        "again when the connection to Xero is better."
    )


def batches(sized: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Ids in the order given, cut where a call would hold too many documents or too many bytes."""
    batch: list[int] = []
    batch_bytes = 0
    for document_id, size in sized:
        if batch and (len(batch) == BATCH_DOCUMENTS or batch_bytes + size > BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(document_id)
        batch_bytes += size
    if batch:
        yield batch


def _post_batch(posting: Posting, document_ids: Sequence[int]) -> None:
    key = f"daybook-{uuid4().hex}"
    with posting.connection.begin():
        claimed = claim(
            posting.connection,
            document_ids,
            idempotency_key=key,
            run_id=posting.run_id,
            now_at=posting.clock.now(),
        )
    if not claimed:
        return
    try:
        outcomes = _send(posting, claimed, key)
    except UnknownOutcome as error:
        _record(posting, _all(claimed, "unknown", f"reply lost: {error}"))
        _settle_unsettled(posting)
    except (RetryableError, FinalError) as error:
        # Both say that Xero has not acted on it. Any other exception leaves the rows in `sending`.
        _record(posting, _all(claimed, "planned", f"not sent: {error}"))
        raise
    else:
        settlements = [
            settlement_of(one, outcome) for one, outcome in zip(claimed, outcomes, strict=True)
        ]
        _record(posting, settlements)
        if any(one.state == "unknown" for one in settlements):
            _settle_unsettled(posting)


def _send(posting: Posting, claimed: Sequence[OpenDocument], key: str) -> Sequence[Outcome]:
    """One call for documents of one kind."""
    client = posting.client
    sales = [one.document for one in claimed if isinstance(one.document, SalesDocument)]
    if sales:
        put = put_invoices if sales[0].kind is DocumentKind.INVOICE else put_credit_notes
        return put(client, sales, contact_ids=_contact_ids(posting, sales), idempotency_key=key)
    return put_payments(client, [_to_send(one) for one in claimed], idempotency_key=key)


def _to_send(one: OpenDocument) -> PaymentToSend:
    assert isinstance(one.document, Payment), "claimed documents are of one kind"
    assert one.parent_kind is not None, "a payment has a parent"
    assert one.parent_id_xero is not None, "its parent is posted"
    return PaymentToSend(one.document, one.parent_kind, one.parent_id_xero)


def _contact_ids(posting: Posting, documents: Sequence[SalesDocument]) -> dict[str, str]:
    missing = {one.contact_name for one in documents} - posting.contact_ids.keys()
    if missing:
        posting.contact_ids.update(ensure_contacts(posting.client, sorted(missing)))
    return posting.contact_ids


def _settle_unsettled(posting: Posting) -> None:
    """Look up everything whose outcome is not known, before anything new is sent."""
    with posting.connection.begin():
        unsettled = unsettled_documents(posting.connection, posting.organisation.organisation_id)
    if unsettled:
        posting.progress(f"{posting.organisation.name}: looking up {len(unsettled)} in Xero")
        _record(posting, look_up(posting.client, unsettled))


def _all(claimed: Sequence[OpenDocument], state: State, event: str) -> list[Settlement]:
    return [Settlement(one.document_id, state, event) for one in claimed]


def _record(posting: Posting, settlements: Sequence[Settlement]) -> None:
    with posting.connection.begin():
        settle(posting.connection, settlements, actor=posting.run_id, now_at=posting.clock.now())
    posting.counts.add(settlements)
