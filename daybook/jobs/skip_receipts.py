"""Receipts that a person says are not needed: they are not attached, and not asked for again."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from daybook.ledger.expense_attachments import skip_attachments
from daybook.ledger.organisation_lock import organisation_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.ledger.organisations import Organisation

_WAIT_SECONDS: Final = 60


def skip_receipts(
    engine: Engine,
    organisations: Iterable[Organisation],
    expense_ids: Sequence[str],
    *,
    actor: str,
    clock: Clock,
) -> None:
    """Leave out what is not attached yet of these expenses, of these organisations.

    Raises `Busy` while a run attaches: what it has in hand is not taken from it.
    """
    with ExitStack() as locks:
        for one in organisations:
            locks.enter_context(
                organisation_lock(
                    engine, one, wait_seconds=_WAIT_SECONDS, clock=clock, work="attaching"
                )
            )
        with engine.begin() as connection:
            skip_attachments(connection, expense_ids, actor=actor, now_at=clock.now())
