"""Posts planned documents into one organisation: intent first, then the call, then its outcome.

The order is what makes it exact: (1) the batch is claimed, planned -> sending, and committed with
its idempotency key; (2) one call sends it; (3) what Xero answered for each element is committed. A
crash or a lost reply between (1) and (3) leaves rows in `sending` or `unknown`, and nothing new is
sent before each of them has been looked up in Xero.

A run holds the organisation for a turn. When another waits for it, it finishes what is under way,
lets the other go first and comes back: a backfill of hours does not keep the night waiting.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.errors import FinalError, RateLimited, Refused, UnknownOutcome
from daybook.jobs.post_round import REPLY_LOST, Narrowing, Posting, record, send_round
from daybook.jobs.settle import look_up
from daybook.ledger.documents import ids_in_use, unsettled_documents, waiting_documents
from daybook.ledger.expense_documents import settle_expenses, waiting_expense_documents
from daybook.ledger.organisation_lock import organisation_lock
from daybook.ledger.store_days import settle_store_days
from daybook.posting.documents import MONEY_KINDS, DocumentKind, SalesDocument
from daybook.xero.documents import Rejected
from daybook.xero.reference_data import ensure_contacts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.ledger.documents import OpenDocument, Settlement, WaitingDocument
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay
    from daybook.xero.client import XeroClient

CALLS_AT_ONCE: Final = 4  # Xero allows five to an organisation; one is left to people
# What a process sent before it was killed may be on its way still: it is not looked up earlier.
ARRIVAL_SECONDS: Final = 10
# After so long a run that waits for the organisation gets it; well under what a run waits for it.
TURN_SECONDS: Final = 60
_WAY_BACK_SECONDS: Final = 3600
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
    contacts: dict[str, str | Rejected] = {}
    narrowing = Narrowing()
    touched = set(store_days)
    wait_seconds, gives_way = lock_wait_seconds, False
    while True:
        try:
            with organisation_lock(
                engine, organisation, wait_seconds=wait_seconds, clock=clock, gives_way=gives_way
            ) as connection:
                posting = Posting(
                    connection,
                    client,
                    organisation,
                    run_id,
                    clock,
                    progress,
                    calls_at_once,
                    last,
                    touched,
                    expense_ids,
                    clock.now() + dt.timedelta(seconds=TURN_SECONDS),
                    contacts,
                    narrowing,
                )
                is_done = _post_all(posting, store_days)
            if is_done:
                if _is_all_sent(narrowing):
                    return _counted(last)
                continue
            progress(f"{organisation.name}: another run goes first, then this one goes on")
            wait_seconds, gives_way = max(lock_wait_seconds, _WAY_BACK_SECONDS), True
        except RateLimited as error:
            if not waits_for_day or error.problem != "day":
                raise
            progress(f"{organisation.name}: {error}")
            clock.sleep(error.retry_after_seconds or _DAY_WAIT_SECONDS)


def _is_all_sent(narrowing: Narrowing) -> bool:
    """Whether nothing was set aside; what was is tried again as long as anything can be posted.

    Raises `FinalError` for batches whose refusal cannot be narrowed down to a document.
    """
    refusals = list(narrowing.set_aside.values())
    if refusals and narrowing.is_stuck:
        raise FinalError(
            f"{str(refusals[0]).rstrip('.')}. One batch after the other was refused like it, so at "
            f"fault is something the {len(refusals)} documents in them have in common: compare the "
            "mapping with the chart of accounts in Xero. They are still planned; then run it again."
        )
    narrowing.set_aside.clear()
    return not refusals


def _counted(last: dict[int, Settlement]) -> Posted:
    """Where each document that was touched ended up."""
    adopted = sum(1 for one in last.values() if one.event == "adopted")
    states = Counter(one.state for one in last.values())
    return Posted(states["posted"] - adopted, adopted, states["rejected"], states["unknown"])


def _post_all(posting: Posting, store_days: Collection[StoreDay]) -> bool:
    """Post until all is done, or the turn is over: then it is not."""
    try:
        _settle_unsettled(posting)
        # Payments come after what they are paid on.
        return all(_post_kind(posting, store_days, kind) for kind in DocumentKind) or not any(
            _waiting(posting, store_days, kind) for kind in DocumentKind
        )
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
            found = waiting_expense_documents(
                posting.connection, organisation_id, posting.expense_ids, kind=kind
            )
        else:
            found = waiting_documents(posting.connection, organisation_id, store_days, kind=kind)
    return [one for one in found if one.document_id not in posting.narrowing.set_aside]


def _post_kind(posting: Posting, store_days: Collection[StoreDay], kind: DocumentKind) -> bool:
    """Send every document of one kind; what a lookup found absent goes out in the next round.

    Returns whether it may go on: not when the turn is over.
    """
    name = f"{posting.organisation.name}: {kind.replace('_', ' ')}s"
    rounds_lost = 0
    while rounds_lost < _ROUNDS:
        waiting = _waiting(posting, store_days, kind)
        if not waiting:
            return True
        try:
            _find_contacts(posting, waiting)
        except UnknownOutcome:
            rounds_lost += 1
            continue
        this_round = send_round(posting, waiting, name)
        if this_round.has_unknown or this_round.refused:
            _settle_unsettled(posting, this_round.refused)
        if this_round.error:
            raise this_round.error
        if this_round.is_turn_over:
            return False
        rounds_lost = 0 if this_round.has_progress else rounds_lost + 1
    raise UnknownOutcome(
        f"{name}: replies were lost {_ROUNDS} times in a row. Nothing is lost or doubled: run it "
        "again when the connection to Xero is better."
    )


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
    record(
        posting,
        [
            (refused or {}).get(one.document_id, one) if one.state == "planned" else one
            for one in settlements
        ],
    )
    posting.store_days.update(one.store_day for one in unsettled if one.store_day)


def _await_arrival(posting: Posting, unsettled: Sequence[OpenDocument]) -> None:
    """Wait until what is on its way still has reached Xero, or never will.

    That is what a killed process sent last, and bank transactions and payments whose reply was
    lost: they have no unique number, so that Xero would take a copy that arrives after the lookup.
    (Of payments it takes one while the document is not paid up: a tender may stay owed.)
    Before it leaves, what is claimed may wait for minutes for Xero's limits: where there was no
    reply, nobody knows when it left.
    """
    now_at = posting.clock.now()
    sent_at = [
        now_at if one.state == "sending" else one.sent_at
        for one in unsettled
        if one.state == "sending"
        or (not isinstance(one.document, SalesDocument) and not _is_answered(posting, one))
    ]
    if sent_at:
        passed_seconds = (now_at - max(sent_at)).total_seconds()
        # A clock that was set back makes it negative.
        posting.clock.sleep(ARRIVAL_SECONDS - min(max(passed_seconds, 0), ARRIVAL_SECONDS))


def _is_answered(posting: Posting, one: OpenDocument) -> bool:
    """Whether this run has a reply to it, though one that does not say what became of it."""
    last = posting.last.get(one.document_id)
    return last is not None and not last.event.startswith(REPLY_LOST)
