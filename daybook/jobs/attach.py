"""Attaches receipts to what is in Xero: made to fit, each content once, tried again when it fails.

A file's name in Xero ends in a hash of what it was made from: sending it twice replaces it by
itself, and the list of what is attached says whether a lost upload arrived. The names are committed
before anything is sent: another run may fit the files otherwise, since late ones came or the room
became less. Reading, fitting and uploading happen in a few threads at once; intents and outcomes
are written by the one that holds the lock.
"""

from __future__ import annotations

import hashlib
import logging
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
    PlannedName,
    due_files,
    uploaded_names,
    write_outcomes,
    write_planned,
    write_uploading,
)
from daybook.ledger.organisation_lock import organisation_lock
from daybook.spend.fit.fitter import SourceFile
from daybook.wording import counted
from daybook.xero.attachments import AttachedFile, attach, attached_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

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

_LOG: Final = logging.getLogger(__name__)

UPLOADS_AT_ONCE: Final = 4  # Xero allows five calls at once; one is left to people
TRIES_IN_A_RUN: Final = 3  # of one upload whose outcome is not known
_SETTINGS_OF_SOURCES: Final = {
    "aspire": "DAYBOOK_ASPIRE_CLIENT_ID and its secret",
    "files": "DAYBOOK_SPEND_URL",
}


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
            f"{counted(self.uploaded_count, 'receipt')} attached, "
            f"{self.failed_count} to be tried again, {self.given_up_count} given up"
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

    @property
    def id_xero(self) -> str:
        """The bank transaction they belong to."""
        return self.files[0].document_id_xero


@dataclass(frozen=True, slots=True)
class _Ready:
    """One expense's files made to fit; nothing is sent before their names are committed."""

    work: _Work
    read: Mapping[DueFile, str]
    fitted: Fitted
    there: Collection[AttachedFile]
    outcomes: Sequence[FileOutcome]


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
    flights: dict[Future[_Ready | _Done], str] = {}
    stop: DaybookError | None = None
    with ThreadPoolExecutor(attaching.uploads_at_once, thread_name_prefix="attach") as pool:
        while True:
            while stop is None and len(flights) < attaching.uploads_at_once:
                expense_id, files = next(queue, ("", []))
                if not files:
                    break
                work = _begin(connection, expense_id, files, attaching)
                flights[pool.submit(_prepare, attaching, work)] = expense_id
            if not flights:
                break
            landed, _ = wait(flights, return_when=FIRST_COMPLETED)
            for flight in landed:
                expense_id, done = flights.pop(flight), flight.result()
                if isinstance(done, _Ready):
                    if stop is None:
                        _plan(connection, done, attaching)
                        flights[pool.submit(_send, attaching, done)] = expense_id
                        continue
                    done = _Done([*done.outcomes, *map(_unsent, done.read)])
                stop = stop or done.stop
                _record(connection, done, attaching)
                states.update(one.state for one in done.outcomes)
                sentences += [f"{expense_id}: {one.reason}" for one in done.outcomes if one.reason]
            due_count = sum(map(len, due.values()))
            attaching.progress(f"{sum(states.values())} of {counted(due_count, 'receipt')}")
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


def _plan(connection: Connection, ready: _Ready, attaching: Attaching) -> None:
    """Commit under which names the files are about to be attached."""
    planned = [
        PlannedName(one.attachment_id, sha256, names)
        for one, sha256 in ready.read.items()
        if (names := _names(_uploads_of(ready.fitted, sha256)))
    ]
    with connection.begin():
        write_planned(connection, planned, now_at=attaching.clock.now())


def _record(connection: Connection, done: _Done, attaching: Attaching) -> None:
    with connection.begin():
        write_outcomes(
            connection, done.outcomes, actor=attaching.run_id, now_at=attaching.clock.now()
        )


def _prepare(attaching: Attaching, work: _Work) -> _Ready | _Done:
    """See what is there already; read the rest and make it fit into the room that is left."""
    try:
        return _prepared(attaching, work)
    except (RateLimited, ReconnectNeeded) as error:
        return _Done([_unsent(one) for one in work.files], error)
    except DaybookError as error:
        return _Done([_failed(attaching, one, str(error)) for one in work.files])
    except Exception as error:  # noqa: BLE001 - the edge of one expense: it stops no other
        _LOG.exception("The receipts of %s could not be made ready.", work.files[0].expense_id)
        return _Done([_failed(attaching, one, _unforeseen(error)) for one in work.files])


def _unforeseen(error: Exception) -> str:
    return (
        f"It failed in a way that was not foreseen ({type(error).__name__}). Look at the file; if "
        "it opens, report this with the file's type."
    )


def _prepared(attaching: Attaching, work: _Work) -> _Ready | _Done:
    # A killed run, or an attempt before, may have sent some of them, and beside those that are
    # attached already a person may have put or removed files: one list says which.
    is_unsure = bool(work.names_by_hash) or any(one.may_be_there for one in work.files)
    there = attached_files(attaching.client, work.id_xero) if is_unsure else None
    outcomes = [_arrived(one) for one in work.files if _has_arrived(one, there or ())]
    with tempfile.TemporaryDirectory(prefix="daybook-receipts-") as folder:
        read, failed = _read(attaching, work, Path(folder), outcomes)
        outcomes += failed
        if not read:
            return _Done(outcomes)
        room = _room(attaching, work, read, there or ())
        if room < 1:
            return _Done([*outcomes, *(_without_room(one, sha) for one, sha in read.items())])
        fitted = _fitted(attaching, work, read, Path(folder), room)
    return _Ready(work, read, fitted, there or (), outcomes)


def _has_arrived(one: DueFile, there: Collection[AttachedFile]) -> bool:
    """Whether all that an earlier run made of it is attached."""
    if one.planned_names is None or one.planned_sha256 is None:
        return False
    return {each.name for each in there}.issuperset(one.planned_names.split(", "))


def _arrived(one: DueFile) -> FileOutcome:
    return FileOutcome(one.attachment_id, "uploaded", one.planned_sha256, one.planned_names)


def _read(
    attaching: Attaching, work: _Work, folder: Path, arrived: Sequence[FileOutcome]
) -> tuple[dict[DueFile, str], list[FileOutcome]]:
    """Put the originals into the folder, named by their number: hashes, and what needs no more.

    A content that is attached already is not attached again.
    """
    names_by_hash = dict(work.names_by_hash)
    names_by_hash |= {one.sha256 or "": one.uploaded_name or "" for one in arrived}
    have_arrived = {one.attachment_id for one in arrived}
    read: dict[DueFile, str] = {}
    outcomes = []
    for one in work.files:
        if one.attachment_id in have_arrived:
            continue
        try:
            content = _store(attaching, work.source).read(one.key)
        except DaybookError as error:
            outcomes.append(_failed(attaching, one, str(error)))
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 in names_by_hash:
            name = names_by_hash[sha256]
            outcomes.append(FileOutcome(one.attachment_id, "uploaded", sha256, name))
            continue
        (folder / str(one.attachment_id)).write_bytes(content)
        read[one] = sha256
    return read, outcomes


def _store(attaching: Attaching, source: str) -> ReceiptStore:
    """Where the source's receipts lie; raises `InputError` when the source is not set any more."""
    found = attaching.receipts.get(source)
    if found is None:
        setting = _SETTINGS_OF_SOURCES.get(source, "its settings")
        raise InputError(
            f"The source '{source}' is not set any more, so its receipt cannot be read. Set "
            f"{setting} again, or say 'daybook expenses attachments ID --skip'."
        )
    return found


def _limits(attaching: Attaching, work: _Work) -> FitLimits:
    return attaching.source_limits.get(work.source, attaching.limits)


def _room(
    attaching: Attaching,
    work: _Work,
    read: Mapping[DueFile, str],
    there: Collection[AttachedFile],
) -> int:
    """How many files may be added; those a person attached in Xero take room too."""
    # What stands there of a file that is sent anew is replaced.
    anew = {name for one in read for name in (one.planned_names or "").split(", ")}
    return _limits(attaching, work).count_max - len({one.name for one in there} - anew)


def _without_room(one: DueFile, sha256: str) -> FileOutcome:
    said = (
        "The expense has as many files in Xero as it may have, which takes no more of them. Merge "
        f"{one.name} into one of them in Xero by hand, or remove one there and say 'daybook "
        f"expenses attachments {one.expense_id} --retry'."
    )
    return FileOutcome(one.attachment_id, "given_up", sha256, one.planned_names, said)


def _fitted(
    attaching: Attaching, work: _Work, read: Mapping[DueFile, str], folder: Path, room: int
) -> Fitted:
    """The files made to fit beside those that are attached already."""
    sources = [SourceFile(one.name, folder / str(one.attachment_id)) for one in read]
    limits = replace(_limits(attaching, work), count_max=room)
    return attaching.fitter.within(limits).fit(sources)


def _send(attaching: Attaching, ready: _Ready) -> _Ready | _Done:
    """Upload what was made to fit, and say what became of every original."""
    uploads, stop = _upload_all(attaching, ready)
    reasons = {one.sha256: one.reason for one in ready.fitted.refused if one.sha256}
    outcomes = list(ready.outcomes)
    for one, sha256 in ready.read.items():
        if sha256 in reasons:
            said = reasons[sha256]
            outcomes.append(FileOutcome(one.attachment_id, "given_up", sha256, reason=said))
            continue
        mine = [(each, uploads.get(each)) for each in _uploads_of(ready.fitted, sha256)]
        outcomes.append(_outcome(attaching, one, sha256, mine))
    return _Done(outcomes, stop)


def _upload_all(
    attaching: Attaching, ready: _Ready
) -> tuple[dict[Upload, str], DaybookError | None]:
    """Upload each; the problem of each, "" where it is attached, and what ends the run."""
    problems: dict[Upload, str] = {}
    for upload in ready.fitted.uploads:
        try:
            if _as_attached(upload) not in ready.there:
                _upload(attaching.client, ready.work.id_xero, upload)
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


def _uploads_of(fitted: Fitted, sha256: str) -> list[Upload]:
    return [each for each in fitted.uploads if sha256 in each.made_from]


def _names(uploads: Iterable[Upload]) -> str:
    return ", ".join(name_in_xero(upload) for upload in uploads)


def _outcome(
    attaching: Attaching, one: DueFile, sha256: str, uploads: Sequence[tuple[Upload, str | None]]
) -> FileOutcome:
    """What became of an original: attached when every upload made from it is."""
    names = _names(upload for upload, _ in uploads)
    if any(said is None for _, said in uploads):  # the run ended before it was sent
        return FileOutcome(one.attachment_id, "pending", sha256, names)
    problem = next((said for _, said in uploads if said), None)
    if problem is None and uploads:
        return FileOutcome(one.attachment_id, "uploaded", sha256, names)
    failed = _failed(attaching, one, problem or f"Nothing was left of {one.name}.")
    return replace(failed, sha256=sha256, uploaded_name=names or None)


def _unsent(one: DueFile) -> FileOutcome:
    """Still to be done: the run ended before it was sent."""
    return FileOutcome(one.attachment_id, "pending", uploaded_name=one.planned_names)


def _failed(attaching: Attaching, one: DueFile, reason: str) -> FileOutcome:
    """Failed, to be tried again when the policy says so, or given up."""
    attempt_count = one.attempt_count + 1
    due_at = attaching.policy.next_due_at(attempt_count, attaching.clock.now(), attaching.jitter())
    if due_at is None:
        reason += f" It was tried {counted(attempt_count, 'time')} and given up; 'daybook expenses "
        reason += f"attachments {one.expense_id} --retry' tries it again."
    return FileOutcome(
        one.attachment_id,
        "failed" if due_at else "given_up",
        uploaded_name=one.planned_names,
        reason=reason,
        next_due_at=due_at,
    )
