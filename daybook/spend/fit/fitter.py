"""The files of one document made to fit: hashed, fitted one by one, merged if there are too many.

This side never opens what is inside a file. It hashes files and passes descriptors to workers,
gets bytes back, and checks of those only their number, their size and how they begin.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Self

from daybook.expenses.attachment_limits import (
    CONTENT_TYPES,
    FitLimits,
    Legibility,
    SafetyLimits,
)
from daybook.expenses.attachment_merging import Part, plan_merges, share_of_each
from daybook.expenses.attachment_names import extension_of, safe_stem, unique_names
from daybook.expenses.attachment_reasons import sentence
from daybook.expenses.attachment_verdicts import (
    Change,
    Fitted,
    Original,
    RefusalCode,
    RefusedFile,
    Upload,
)
from daybook.spend.fit import wire
from daybook.spend.fit.worker import WorkerLost, WorkerPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

_WITH_PAGES: Final = frozenset({"jpg", "png", "pdf"})
_BEGINS: Final = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
_SHRINK_ROUNDS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it came: the name its sender gave it (anything), and where it is kept."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class _Piece:
    """One upload in the making."""

    name: str
    extension: str
    made_from: tuple[str, ...]
    changes: tuple[Change, ...]
    content: bytes = field(repr=False)


@dataclass(slots=True)
class _Case:
    """One distinct file while it is dealt with."""

    original: Original
    descriptor: int
    pieces: list[_Piece] = field(default_factory=list)
    refusal: RefusalCode | None = None


@dataclass(frozen=True, slots=True)
class Workers:
    """The confined processes, and the threads that wait for them."""

    pool: WorkerPool
    threads: ThreadPoolExecutor


class Fitter:
    """Makes files fit; keep one for many documents, its workers are reused. Thread safe."""

    def __init__(
        self,
        limits: FitLimits | None = None,
        *,
        safety: SafetyLimits | None = None,
        legibility: Legibility | None = None,
        worker_count: int = 2,
        workers: Workers | None = None,
    ) -> None:
        """`workers` are those of another fitter, which goes on owning them.

        Raises SettingError on a system where untrusted files cannot be confined.
        """
        self._limits = limits or FitLimits()
        self._safety = safety or SafetyLimits()
        self._legibility = legibility or Legibility()
        self._is_owner = workers is None
        self._workers = workers or Workers(
            WorkerPool(worker_count, self._safety),
            ThreadPoolExecutor(worker_count, thread_name_prefix="fit"),
        )

    def __enter__(self) -> Self:
        """Nothing starts before the first file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers."""
        self.close()

    def close(self) -> None:
        """End the workers, unless they are another's; those at work are waited for."""
        if self._is_owner:
            self._workers.threads.shutdown()
            self._workers.pool.close()

    def within(self, limits: FitLimits) -> Fitter:
        """A fitter for other limits with this one's workers; it needs no closing."""
        return Fitter(
            limits, safety=self._safety, legibility=self._legibility, workers=self._workers
        )

    def fit(self, files: Sequence[SourceFile]) -> Fitted:
        """Uploads within the limits for these files of one document, in their order.

        Every file ends in an upload or a refusal. Raises Unavailable when no worker starts.
        """
        originals: list[Original] = []
        refused: list[RefusedFile] = []
        cases: dict[str, _Case] = {}
        with contextlib.ExitStack() as stack:
            for number, source in enumerate(files):
                opened = self._opened(source, number, stack)
                if isinstance(opened, RefusedFile):
                    refused.append(opened)
                    continue
                originals.append(opened.original)
                cases.setdefault(opened.original.sha256, opened)
            self._fit_each(cases.values(), self._limits.bytes_max)
            pieces = self._within_count([case for case in cases.values() if not case.refusal])
        refused += [
            self._refused(case.original, case.refusal) for case in cases.values() if case.refusal
        ]
        return Fitted(tuple(originals), self._uploads(pieces), tuple(refused))

    # Files

    def _opened(
        self, source: SourceFile, number: int, stack: contextlib.ExitStack
    ) -> _Case | RefusedFile:
        """The file hashed and ready to be passed on; links and devices are not followed."""
        if number >= self._safety.files_max:
            return self._refused(Original(source.name, "", 0), RefusalCode.TOO_MANY_FILES)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(source.path, flags)
            stack.callback(os.close, descriptor)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return self._refused(Original(source.name, "", 0), RefusalCode.NOT_A_FILE)
            original = Original(source.name, _sha256(descriptor), status.st_size)
        except OSError:
            is_link = source.path.is_symlink()
            code = RefusalCode.NOT_A_FILE if is_link else RefusalCode.MISSING
            return self._refused(Original(source.name, "", 0), code)
        case = _Case(original, descriptor)
        if original.byte_count == 0:
            case.refusal = RefusalCode.EMPTY
        elif original.byte_count > self._safety.source_bytes_max:
            case.refusal = RefusalCode.SOURCE_TOO_LARGE
        return case

    def _fit_each(self, cases: Iterable[_Case], budget: int) -> None:
        """Fit those not refused yet, as many at once as there are workers."""
        open_cases = [case for case in cases if not case.refusal]
        list(self._workers.threads.map(lambda case: self._fit_case(case, budget), open_cases))

    def _fit_case(self, case: _Case, budget: int) -> None:
        original = case.original
        job = self._job("fit", (extension_of(original.name),), budget)
        try:
            answer, contents = self._workers.pool.ask(job, descriptor=case.descriptor)
            pieces = _pieces(answer, contents, original.name, (original.sha256,))
        except WorkerLost as lost:
            case.refusal = lost.code
            return
        if pieces and all(self._limits.takes(len(piece.content)) for piece in pieces):
            case.pieces = pieces
        else:
            case.refusal = _code(answer)

    # Number

    def _within_count(self, cases: list[_Case]) -> list[_Piece]:
        """The pieces of these files, merged when there are too many; surplus files are refused."""
        for shrink_round in range(_SHRINK_ROUNDS_MAX + 1):
            pieces = [piece for case in cases for piece in case.pieces]
            parts = [Part(len(piece.content), _has_pages(piece)) for piece in pieces]
            runs = plan_merges(parts, self._limits.count_max, self._limits.bytes_max)
            if runs is not None:
                merged = self._merged(pieces, runs)
                if merged is not None:
                    return merged
            share = share_of_each(parts, self._limits.count_max, self._limits.bytes_max)
            if share is None or shrink_round == _SHRINK_ROUNDS_MAX:
                break
            # The second round asks for less than the share: merging may have cost more than told.
            self._shrink(cases, share * (10 - 2 * shrink_round) // 10)
        return self._first_that_fit(cases)

    def _shrink(self, cases: list[_Case], share: int) -> None:
        """Fit the files above their share again; one that cannot be smaller stays as it is."""
        for_each = [
            case
            for case in cases
            if sum(len(piece.content) for piece in case.pieces) >= share
            and all(_has_pages(piece) for piece in case.pieces)
        ]
        again = [replace(case, pieces=[]) for case in for_each]
        self._fit_each(again, share)
        for case, smaller in zip(for_each, again, strict=True):
            if smaller.pieces:
                case.pieces = smaller.pieces

    def _merged(
        self, pieces: list[_Piece], runs: tuple[tuple[int, ...], ...]
    ) -> list[_Piece] | None:
        """The pieces with each run replaced by one PDF, or None when a PDF became too large."""
        done: dict[int, _Piece] = {}
        for run in runs:
            merged = self._merge([pieces[at] for at in run])
            if merged is None:
                return None
            done[run[0]] = merged
        gone = {at for run in runs for at in run[1:]}
        return [done.get(at, piece) for at, piece in enumerate(pieces) if at not in gone]

    def _merge(self, run: list[_Piece]) -> _Piece | None:
        contents = [piece.content for piece in run]
        job = self._job(
            "merge",
            tuple(piece.extension for piece in run),
            self._limits.bytes_max,
            payloads=tuple(map(len, contents)),
        )
        made_from = tuple(dict.fromkeys(one for piece in run for one in piece.made_from))
        name = f"{safe_stem(run[0].name)}-and-{len(run) - 1}-more"
        try:
            answer, merged = self._workers.pool.ask(job, contents)
            pieces = _pieces(answer, merged, name, made_from)
        except WorkerLost:
            return None
        return pieces[0] if pieces and self._limits.takes(len(pieces[0].content)) else None

    def _first_that_fit(self, cases: list[_Case]) -> list[_Piece]:
        """As many whole files as there are places, in order; the others are refused."""
        kept: list[_Piece] = []
        for case in cases:
            if len(kept) + len(case.pieces) <= self._limits.count_max:
                kept += case.pieces
            else:
                case.refusal = RefusalCode.OVER_COUNT
        return kept

    # Values

    def _job(
        self,
        task: str,
        extensions: tuple[str, ...],
        budget: int,
        *,
        payloads: tuple[int, ...] = (),
    ) -> wire.Job:
        return wire.Job(
            task=task,
            extensions=extensions,
            limits=self._limits,
            safety=self._safety,
            legibility=self._legibility,
            budget=budget,
            payloads=payloads,
        )

    def _uploads(self, pieces: list[_Piece]) -> tuple[Upload, ...]:
        wanted = [(piece.name, piece.extension) for piece in pieces]
        names = unique_names(wanted, self._limits.name_chars_max)
        return tuple(
            Upload(
                name=name,
                content_type=CONTENT_TYPES[piece.extension],
                content=piece.content,
                sha256=hashlib.sha256(piece.content).hexdigest(),
                made_from=piece.made_from,
                changes=piece.changes,
            )
            for name, piece in zip(names, pieces, strict=True)
        )

    def _refused(self, original: Original, code: RefusalCode) -> RefusedFile:
        reason = sentence(
            code, original.name, original.byte_count, limits=self._limits, safety=self._safety
        )
        return RefusedFile(original.name, code, reason, original.sha256 or None)


def _sha256(descriptor: int) -> str:
    with open(descriptor, "rb", closefd=False) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _pieces(
    answer: wire.Answer, contents: list[bytes], name: str, made_from: tuple[str, ...]
) -> list[_Piece]:
    """What a worker answered, believed only as far as it can be checked; raises WorkerLost."""
    try:
        pieces = [
            _Piece(
                name if len(contents) == 1 else f"{safe_stem(name)}-{number}-of-{len(contents)}",
                extension,
                made_from,
                tuple(Change(change) for change in changes),
                content,
            )
            for number, (extension, changes, content) in enumerate(
                zip(answer.extensions, answer.changes, contents, strict=True), 1
            )
        ]
    except ValueError as error:
        raise WorkerLost(RefusalCode.WORKER_DIED) from error
    for piece in pieces:
        begin = _BEGINS.get(piece.extension, b"")
        if piece.extension not in CONTENT_TYPES or not piece.content.startswith(begin):
            raise WorkerLost(RefusalCode.WORKER_DIED)
    return pieces


def _has_pages(piece: _Piece) -> bool:
    return piece.extension in _WITH_PAGES


def _code(answer: wire.Answer) -> RefusalCode:
    """The code a worker gave; anything else it may have said counts as its death."""
    known = {code.value for code in RefusalCode}
    return RefusalCode(answer.refusal) if answer.refusal in known else RefusalCode.WORKER_DIED
