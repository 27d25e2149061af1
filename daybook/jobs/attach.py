"""Attaches receipts to what is in Xero: made to fit, each content once, tried again when it fails.

A file's name in Xero ends in a hash of what it was made from: sending it twice replaces it by
itself, and the list of what is attached says whether a lost upload arrived. Reading, fitting and
uploading happen in a few threads at once; intents and outcomes are written by the one that holds
the lock.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daybook.errors import (
    DaybookError,
    FinalError,
    InputError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    RetryableError,
    UnknownOutcome,
)
from daybook.ledger.expense_attachments import (
    FileOutcome,
    due_files,
    uploaded_names,
    write_outcomes,
    write_uploading,
)
from daybook.ledger.organisation_lock import organisation_lock
from daybook.spend.fit.fitter import SourceFile
from daybook.xero.attachments import AttachedFile, attach, attached_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.expenses.attachment_limits import FitLimits
    from daybook.expenses.attachment_verdicts import Fitted, Upload
    from daybook.expenses.backoff import RetryPolicy
    from daybook.ledger.expense_attachments import DueFile
    from daybook.ledger.organisations import Organisation
    from daybook.spend.fit.fitter import Fitter
    from daybook.spend.source import ReceiptStore
    from daybook.xero.client import XeroClient

UPLOADS_AT_ONCE: Final = 4  # Xero allows five calls at once; one is left to people
TRIES_IN_A_RUN: Final = 3  # of one upload whose outcome is not known


@dataclass(frozen=True, slots=True)
class Attached:
    """What one run of attaching came to, in receipts' files."""

    uploaded_count: int = 0
    failed_count: int = 0
    given_up_count: int = 0
    sentences: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For the log."""
        return (
            f"{self.uploaded_count} receipts attached, {self.failed_count} to be tried again, "
            f"{self.given_up_count} given up"
        )


@dataclass(frozen=True, slots=True)
class Attaching:
    """What the uploads of one run share; `jitter` gives a number from 0 to 1.

    `source_limits` are those of single sources, where they differ from `limits`.
    """

    client: XeroClient
    receipts: Mapping[str, ReceiptStore]
    fitter: Fitter
    limits: FitLimits
    policy: RetryPolicy
    clock: Clock
    jitter: Callable[[], float]
    run_id: str
    progress: Callable[[str], None]
    uploads_at_once: int = UPLOADS_AT_ONCE
    source_limits: Mapping[str, FitLimits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Work:
    """One expense's files, and those of it that are attached already: hash to name in Xero."""

    source: str
    files: Sequence[DueFile]
    names_by_hash: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one expense's files; `stop` ends the whole run."""

    outcomes: Sequence[FileOutcome]
    stop: DaybookError | None = None


def attach_receipts(
    engine: Engine,
    organisation: Organisation,
    attaching: Attaching,
    expense_ids: Collection[str] | None,
    *,
    lock_wait_seconds: float = 600,
) -> Attached:
    """Attach every file that is due, of these expenses or of all; one that fails stops no other.

    Raises `Busy` while another run attaches, and the error that ended the run early: a limit of the
    day, or a connection that has to be made anew. What was not sent is still to be done.
    """
    clock = attaching.clock
    with organisation_lock(
        engine, organisation, wait_seconds=lock_wait_seconds, clock=clock, work="attaching"
    ) as connection:
        with connection.begin():
            due = due_files(
                connection, organisation.organisation_id, expense_ids, now_at=clock.now()
            )
        return _attach_all(connection, attaching, due)


def _attach_all(
    connection: Connection, attaching: Attaching, due: Mapping[str, list[DueFile]]
) -> Attached:
    states: Counter[str] = Counter()
    sentences: list[str] = []
    queue = iter(due.items())
    flights: dict[Future[_Done], str] = {}
    stop: DaybookError | None = None
    with ThreadPoolExecutor(attaching.uploads_at_once, thread_name_prefix="attach") as pool:
        while True:
            while stop is None and len(flights) < attaching.uploads_at_once:
                expense_id, files = next(queue, ("", []))
                if not files:
                    break
                work = _begin(connection, expense_id, files, attaching)
                flights[pool.submit(_attach_one, attaching, work)] = expense_id
            if not flights:
                break
            landed, _ = wait(flights, return_when=FIRST_COMPLETED)
            for flight in landed:
                expense_id, done = flights.pop(flight), flight.result()
                stop = stop or done.stop
                with connection.begin():
                    write_outcomes(
                        connection,
                        done.outcomes,
                        actor=attaching.run_id,
                        now_at=attaching.clock.now(),
                    )
                states.update(one.state for one in done.outcomes)
                sentences += [f"{expense_id}: {one.reason}" for one in done.outcomes if one.reason]
            attaching.progress(f"{sum(states.values())} of {sum(map(len, due.values()))} receipts")
    if stop is not None:
        raise stop
    return Attached(
        states["uploaded"], states["failed"], states["given_up"], tuple(sorted(sentences))
    )


def _begin(
    connection: Connection, expense_id: str, files: Sequence[DueFile], attaching: Attaching
) -> _Work:
    """Commit the intent to upload one expense's files."""
    with connection.begin():
        names = uploaded_names(connection, expense_id)
        write_uploading(
            connection, [one.attachment_id for one in files], now_at=attaching.clock.now()
        )
    return _Work(expense_id.partition("-")[0], files, names)


def _attach_one(attaching: Attaching, work: _Work) -> _Done:
    """Read, fit and upload one expense's files."""
    with tempfile.TemporaryDirectory(prefix="daybook-receipts-") as folder:
        read, outcomes = _read(attaching, work, Path(folder))
        for one, sha256 in list(read.items()):
            if sha256 in work.names_by_hash:
                name = work.names_by_hash[sha256]
                outcomes.append(FileOutcome(one.attachment_id, "uploaded", sha256, name))
                del read[one]
        try:
            fitted = _fitted(attaching, work, read, Path(folder))
        except (RetryableError, InputError) as error:
            return _Done([*outcomes, *(_failed(attaching, one, str(error)) for one in read)])
    uploads, stop = _upload_all(attaching, work, fitted)
    reasons = {one.sha256: one.reason for one in fitted.refused if one.sha256}
    for one, sha256 in read.items():
        if sha256 in reasons:
            said = reasons[sha256]
            outcomes.append(FileOutcome(one.attachment_id, "given_up", sha256, reason=said))
            continue
        mine = [upload for upload in fitted.uploads if sha256 in upload.made_from]
        outcomes.append(
            _outcome(attaching, one, sha256, [(each, uploads.get(each)) for each in mine])
        )
    return _Done(outcomes, stop)


def _read(
    attaching: Attaching, work: _Work, folder: Path
) -> tuple[dict[DueFile, str], list[FileOutcome]]:
    """Put the originals into the folder, named by their number; their hashes, and what failed."""
    read: dict[DueFile, str] = {}
    outcomes = []
    for one in work.files:
        try:
            content = attaching.receipts[work.source].read(one.key)
        except DaybookError as error:
            outcomes.append(_failed(attaching, one, str(error)))
            continue
        (folder / str(one.attachment_id)).write_bytes(content)
        read[one] = hashlib.sha256(content).hexdigest()
    return read, outcomes


def _fitted(attaching: Attaching, work: _Work, read: Mapping[DueFile, str], folder: Path) -> Fitted:
    """The files made to fit beside those that are attached already."""
    sources = [SourceFile(one.name, folder / str(one.attachment_id)) for one in read]
    limits = attaching.source_limits.get(work.source, attaching.limits)
    taken = {name for names in work.names_by_hash.values() for name in names.split(", ")}
    room = limits.count_max - len(taken)
    if sources and room < 1:
        raise InputError(
            f"The expense already has {len(taken)} files in Xero, which takes no more of them. "
            "Merge the receipts into one file in Xero by hand."
        )
    return attaching.fitter.within(replace(limits, count_max=max(room, 1))).fit(sources)


def _upload_all(
    attaching: Attaching, work: _Work, fitted: Fitted
) -> tuple[dict[Upload, str], DaybookError | None]:
    """Upload each; the problem of each, "" where it is attached, and what ends the run."""
    problems: dict[Upload, str] = {}
    id_xero = work.files[0].document_id_xero
    # A killed run, or an attempt before, may have sent some of them: one list says which.
    is_unsure = any(one.was_uploading or one.attempt_count for one in work.files)
    there: frozenset[AttachedFile] | None = None
    for upload in fitted.uploads:
        try:
            if is_unsure and there is None:
                there = frozenset(attached_files(attaching.client, id_xero))
            if _as_attached(upload) not in (there or ()):
                _upload(attaching.client, id_xero, upload)
            problems[upload] = ""
        except (RateLimited, ReconnectNeeded) as error:
            return problems, error
        except Refused as error:
            problems[upload] = f"Xero refused it: {' '.join(error.messages) or error}"
        except (RetryableError, FinalError, UnknownOutcome) as error:
            problems[upload] = str(error)
    return problems, None


def _upload(client: XeroClient, id_xero: str, upload: Upload) -> None:
    """Upload one file; after a lost reply the list of attachments says whether it arrived."""
    wanted = _as_attached(upload)
    for attempt in range(1, TRIES_IN_A_RUN + 1):
        try:
            attach(client, id_xero, wanted.name, upload.content, content_type=upload.content_type)
        except UnknownOutcome:
            if wanted in attached_files(client, id_xero):
                return
            if attempt == TRIES_IN_A_RUN:
                raise
        else:
            return


def _as_attached(upload: Upload) -> AttachedFile:
    return AttachedFile(name_in_xero(upload), len(upload.content))


def name_in_xero(upload: Upload) -> str:
    """The upload's name with a hash of its originals before the extension."""
    digest = hashlib.sha256(" ".join((*upload.made_from, upload.name)).encode()).hexdigest()
    stem, dot, extension = upload.name.rpartition(".")
    return f"{stem}-{digest[:8]}{dot}{extension}"


def _outcome(
    attaching: Attaching, one: DueFile, sha256: str, uploads: Sequence[tuple[Upload, str | None]]
) -> FileOutcome:
    """What became of an original: attached when every upload made from it is."""
    if any(said is None for _, said in uploads):  # the run ended before it was sent
        return FileOutcome(one.attachment_id, "pending", sha256)
    problem = next((said for _, said in uploads if said), None)
    if problem is None and uploads:
        names = ", ".join(name_in_xero(upload) for upload, _ in uploads)
        return FileOutcome(one.attachment_id, "uploaded", sha256, names)
    return _failed(attaching, one, problem or f"Nothing was left of {one.name}.")


def _failed(attaching: Attaching, one: DueFile, reason: str) -> FileOutcome:
    """Failed, to be tried again when the policy says so, or given up."""
    attempt_count = one.attempt_count + 1
    due_at = attaching.policy.next_due_at(attempt_count, attaching.clock.now(), attaching.jitter())
    if due_at is None:
        said = f"{reason} It was tried {attempt_count} times and given up; 'daybook expenses "
        said += "attachments --retry' tries it again."
        return FileOutcome(one.attachment_id, "given_up", reason=said)
    return FileOutcome(one.attachment_id, "failed", reason=reason, next_due_at=due_at)
