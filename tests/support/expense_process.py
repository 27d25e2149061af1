"""A sync of expenses to be killed: plans, posts and attaches, and counts the steps it takes.

Like `loader_process`: run as a program it stays warm and reads one `Job` a line. A job that is to
be killed is done by a forked child that kills itself with SIGKILL at one of its steps: a commit, a
request that is about to go, one that has gone out, a reply that has come back.
"""

from __future__ import annotations

import os
import sys

import httpx
import msgspec
from expense_place import attaching_of, syncing_of
from hurried_clock import HurriedClock
from loader_process import Ending, Steps

from daybook.errors import DaybookError
from daybook.expenses.attachment_limits import FitLimits
from daybook.jobs.attach import attach_receipts
from daybook.jobs.connect import XeroAccess, client_of
from daybook.jobs.sync_expenses import plan_batch, post_batch
from daybook.ledger.connections import Connections
from daybook.ledger.engine import open_engine
from daybook.ledger.organisations import read_organisations
from daybook.spend.aspire import AspireApi
from daybook.spend.fit.fitter import Fitter
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited


class Job(msgspec.Struct, kw_only=True):
    """What a child is to do: `kill_at` is the step (from 0) at which it dies, None for never."""

    database_url: str
    secret_key: str
    app: dict[str, str]
    aspire_url: str
    organisation: str
    expense_ids: list[str]
    record_path: str
    kill_at: int | None = None


class ExpenseSteps(Steps):
    """The same steps; what goes out is a file as often as JSON, and is not written down."""

    def _record(self, request: httpx.Request) -> None:
        """Nothing reads it here."""


def work(job: Job, steps: Steps) -> str:
    """Sync as every run does; returns the sentence it failed with, if it did."""
    clock = HurriedClock(0, 1000)
    engine = open_engine(job.database_url)
    with (
        open_http(httpx.HTTPTransport(verify=False)) as http,
        open_http(httpx.HTTPTransport(verify=False)) as aspire_http,
        Fitter(FitLimits(), worker_count=1) as fitter,
        steps.watched_commits(engine),
    ):
        steps.watch_requests(http)
        access = XeroAccess(
            app=XeroApp(redirect_url="http://localhost:8765/callback", **job.app),
            http=http,
            connections=Connections(engine, job.secret_key),
            budget=Unlimited(),
            clock=clock,
        )
        with engine.connect() as connection:
            organisation = next(
                one
                for one in read_organisations(connection).values()
                if one.name == job.organisation
            )
        client = client_of(access, organisation.connection_id, organisation.tenant_id_xero)
        aspire = AspireApi(
            aspire_http, job.aspire_url, "aspire-client", "aspire-secret", clock=clock
        )
        syncing = syncing_of(engine, client, clock)
        try:
            plan_batch(syncing, job.expense_ids)
            post_batch(syncing, organisation, job.expense_ids, with_updates=False)
            attaching = attaching_of(client, aspire, fitter, clock)
            attach_receipts(engine, organisation, attaching, job.expense_ids)
        except DaybookError as error:
            return f"{type(error).__name__}: {error}"
    engine.dispose()
    return ""


def _run(job: Job) -> Ending:
    """In a child, so that every job starts alike."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        try:
            steps = ExpenseSteps(job.kill_at, job.record_path)
            error = work(job, steps)
            with os.fdopen(write_end, "wb") as pipe:
                pipe.write(msgspec.json.encode(Ending(steps=steps.names, error=error)))
        except BaseException:  # noqa: BLE001 - the edge of a process that must not go on
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return Ending(was_killed=True)
    return Ending(error=f"status {status}") if status else msgspec.json.decode(said, type=Ending)


if __name__ == "__main__":
    for line in sys.stdin:
        print(msgspec.json.encode(_run(msgspec.json.decode(line, type=Job))).decode(), flush=True)  # noqa: T201 - the answer
