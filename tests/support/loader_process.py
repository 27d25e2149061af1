"""A loader to be killed: plans and posts, and counts the steps it takes.

Run as a program it stays warm and reads one `Job` a line. A job that is to be killed, or whose
loader is broken on purpose, is done by a forked child, so that the child can kill itself with
SIGKILL before or after any step: a commit of something written, a request that is about to go, one
that has gone out, a reply that has come back. Nothing in Daybook knows of it: the steps are seen at
the edges, in the database driver's commit and in the HTTP client's own hooks.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations
import json
import os
import re
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
from hurried_clock import HurriedClock
from loader_expenses import bring_in_expenses
from sqlalchemy import event

from daybook.errors import DaybookError
from daybook.jobs import post as post_module
from daybook.jobs import post_round
from daybook.jobs.connect import XeroAccess, client_of
from daybook.jobs.plan import plan
from daybook.ledger.call_budget import LedgerCallBudget, Limits
from daybook.ledger.connections import Connections
from daybook.ledger.engine import open_engine
from daybook.ledger.organisations import read_organisations
from daybook.sales.store import StoreDay
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Engine


_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")


class Job(msgspec.Struct, kw_only=True):
    """What a child is to do: `kill_at` is the step (from 0) at which it dies, None for never."""

    database_url: str
    secret_key: str
    app: dict[str, str]
    organisation: str
    days: list[tuple[dt.date, str]]
    record_path: str
    kill_at: int | None = None
    batch_documents: int = 50
    has_budget: bool = False
    read_timeout_seconds: float = 20
    mutant: str = ""
    skipped_seconds: int = 0
    clock_speed: int = 1000
    turn_seconds: int = 60
    receipts_path: str = ""  # of a job that brings in expenses


class Ending(msgspec.Struct, kw_only=True):
    """How a child ended: the names of its steps, and what it raised; killed ones say neither."""

    was_killed: bool = False
    steps: list[str] = []
    error: str = ""


@dataclass
class Steps:
    """Counts steps, and ends the process at the one that is asked for."""

    kill_at: int | None
    record_path: str

    def __post_init__(self) -> None:
        """Start at step 0."""
        self.names: list[str] = []
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        """One step further, or dead."""
        with self._lock:
            if len(self.names) == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.names.append(name)

    @contextmanager
    def watched_commits(self, engine: Engine) -> Iterator[None]:
        """Steps before and after every commit of something that was written."""
        commit = engine.dialect.do_commit
        written: set[int] = set()

        def note(_sa: object, cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 - the driver's cursor
            if _WRITES.search(statement):
                written.add(id(cursor.connection))

        def do_commit(connection: Any) -> None:  # noqa: ANN401 - the driver's connection
            is_write = id(connection.driver_connection) in written
            written.discard(id(connection.driver_connection))
            if is_write:
                self.take("before commit")
            commit(connection)
            if is_write:
                self.take("after commit")

        listening = (engine, "after_cursor_execute", note)
        event.listen(*listening)
        engine.dialect.do_commit = do_commit  # type: ignore[assignment,method-assign] # seen, not changed
        try:
            yield
        finally:
            engine.dialect.do_commit = commit  # type: ignore[method-assign] # as it was
            event.remove(*listening)

    def watch_requests(self, http: httpx.Client) -> None:
        """Steps before a request, when it has gone out, and when its reply is there."""

        def request_hook(request: httpx.Request) -> None:
            name = f"{request.method} {request.url.path}"
            self.take(f"before {name}")
            self._record(request)
            request.extensions["trace"] = partial(self._trace, name)

        def response_hook(response: httpx.Response) -> None:
            key = response.request.headers.get("Idempotency-Key", "")
            self._write_down({"answer": response.status_code, "key": key})
            self.take(f"after {response.request.method} {response.request.url.path}")

        http.event_hooks = {"request": [request_hook], "response": [response_hook]}

    def _trace(self, name: str, event: str, _info: Mapping[str, Any]) -> None:
        if event == "http11.send_request_body.complete":
            self.take(f"sent {name}")

    def _record(self, request: httpx.Request) -> None:
        """Write down what goes out, in a file that outlives the process."""
        call = {
            "method": request.method,
            "parent": request.url.path.split("/")[-2],
            "path": request.url.path.split("/")[-1],
            "query": str(request.url.params),
            "key": request.headers.get("Idempotency-Key", ""),
            "names": sorted(_names(request)) if request.method == "PUT" else [],
        }
        self._write_down(call)

    def _write_down(self, line: dict[str, object]) -> None:
        with open(self.record_path, "a") as record:  # noqa: PTH123 - opened for every line
            record.write(json.dumps(line) + "\n")


def _names(request: httpx.Request) -> list[str]:
    """What a write is about: numbers of documents; of payments the document's id and reference.

    The first word is what a lookup asks for.
    """
    *_, parent, kind, name = request.url.path.split("/")
    if kind == "Attachments":
        return [f"{parent} {name}"]
    content = json.loads(request.content)
    return [
        *(one["InvoiceNumber"] for one in content.get("Invoices", [])),
        *(one["CreditNoteNumber"] for one in content.get("CreditNotes", [])),
        *(
            f"{next(iter((one.get('Invoice') or one['CreditNote']).values()))} {one['Reference']}"
            for one in content.get("Payments", [])
        ),
        *(f"BankTransactions {one['Reference']}" for one in content.get("BankTransactions", [])),
    ]


@cache
def _engine(database_url: str) -> Engine:
    """The one engine: what it has learnt in the warm-up its children need not learn again."""
    return open_engine(database_url)


def work(job: Job, steps: Steps, mutate: Callable[[str], None]) -> str:
    """Plan and post, as every run does; returns the sentence it failed with, if it did."""
    clock = HurriedClock(job.skipped_seconds, job.clock_speed)
    engine = _engine(job.database_url)
    # Without TLS: reading the certificates takes longer than the work.
    with open_http(httpx.HTTPTransport(verify=False)) as http, steps.watched_commits(engine):
        http.timeout = httpx.Timeout(job.read_timeout_seconds)
        steps.watch_requests(http)
        mutate(job.mutant)
        post_round.BATCH_DOCUMENTS = job.batch_documents  # type: ignore[misc] # small batches
        post_module.TURN_SECONDS = job.turn_seconds  # type: ignore[misc] # short turns
        access = XeroAccess(
            app=XeroApp(redirect_url="http://localhost:8765/callback", **job.app),
            http=http,
            connections=Connections(engine, job.secret_key),
            budget=LedgerCallBudget(engine, clock, Limits()) if job.has_budget else Unlimited(),
            clock=clock,
        )
        with engine.connect() as connection:
            organisation = next(
                one
                for one in read_organisations(connection).values()
                if one.name == job.organisation
            )
        client = client_of(access, organisation.connection_id, organisation.tenant_id_xero)
        days = [StoreDay(date, store_id) for date, store_id in job.days]
        try:
            if job.receipts_path:
                return bring_in_expenses(engine, client, organisation, job.receipts_path, clock)
            plan(engine, days, prefix="DB", run_id="chaos", clock=clock)
            post_module.post(engine, client, organisation, days, run_id="chaos", clock=clock)
        except DaybookError as error:
            return f"{type(error).__name__}: {error}"
    return ""


def _child(job: Job, write_end: int) -> None:
    from loader_mutants import mutate  # noqa: PLC0415 - beside this file, needed in children only

    _engine(job.database_url).dispose(close=False)  # its connections are the parent's
    steps = Steps(job.kill_at, job.record_path)
    error = work(job, steps, mutate)
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(msgspec.json.encode(Ending(steps=steps.names, error=error)))


def _run(job: Job) -> Ending:
    if job.kill_at is None and not job.mutant:
        steps = Steps(None, job.record_path)
        error = work(job, steps, lambda _whole: None)
        return Ending(steps=steps.names, error=error)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        try:
            _child(job, write_end)
        except BaseException:  # noqa: BLE001 - the edge of a process that must not go on
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return Ending(was_killed=True)
    if status:
        return Ending(error=f"crashed with status {status}")
    return msgspec.json.decode(said, type=Ending)


if __name__ == "__main__":
    for line in sys.stdin:
        print(msgspec.json.encode(_run(msgspec.json.decode(line, type=Job))).decode(), flush=True)  # noqa: T201 - the answer
