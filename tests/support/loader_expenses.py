"""What a loader does with expenses: plans, posts, and attaches the receipts."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from daybook.expenses.attachment_limits import CONTENT_TYPES, FitLimits
from daybook.expenses.attachment_verdicts import Fitted, Original, Upload
from daybook.expenses.backoff import RetryPolicy
from daybook.jobs.attach import Attaching, attach_receipts
from daybook.jobs.sync_expenses import Syncing, plan_batch, post_batch
from daybook.ledger.expenses import read_expenses
from daybook.spend.fit.fitter import Fitter
from daybook.spend.receipt_folder import ReceiptFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.ledger.organisations import Organisation
    from daybook.spend.fit.fitter import SourceFile
    from daybook.xero.client import XeroClient

SOURCE = "card"
AT_ONCE = RetryPolicy(attempts_max=20, first_wait=dt.timedelta(0))


class AsItIs(Fitter):
    """Leaves every file as it is: a process killed at every step has no use for workers."""

    def __init__(self) -> None:
        """Start no workers."""

    def within(self, limits: FitLimits) -> AsItIs:  # noqa: ARG002 - of the real one
        """Whatever the limits."""
        return self

    def fit(self, files: Sequence[SourceFile]) -> Fitted:
        """One upload for each file."""
        originals, uploads = [], []
        for one in files:
            content = one.path.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            originals.append(Original(one.name, sha256, len(content)))
            content_type = CONTENT_TYPES[one.name.rpartition(".")[2]]
            uploads.append(Upload(one.name, content_type, content, sha256, (sha256,)))
        return Fitted(tuple(originals), tuple(uploads), ())


def bring_in_expenses(
    engine: Engine, client: XeroClient, organisation: Organisation, receipts_path: str, clock: Clock
) -> str:
    """Plan and post every expense and attach its receipts; says what is left to do."""
    syncing = Syncing(engine, lambda _key: client, "DB", frozenset(), "chaos", clock)
    plan_batch(syncing, None)
    with engine.connect() as connection:
        ids = [one.expense.expense_id for one in read_expenses(connection)]
    post_batch(syncing, organisation, ids, with_updates=False)
    attaching = Attaching(
        client=client,
        receipts={SOURCE: ReceiptFolder(receipts_path)},
        fitter=AsItIs(),
        limits=FitLimits(),
        policy=AT_ONCE,
        clock=clock,
        jitter=lambda: 0.5,
        run_id="chaos",
        progress=lambda _sentence: None,
    )
    attached = attach_receipts(engine, organisation, attaching, None)
    return str(attached) if attached.failed_count else ""
