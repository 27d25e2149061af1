"""What became of the files of one document: uploads, refusals, and which came from which."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Change(enum.StrEnum):
    """What was done to make a file fit; the value is how finance reads it."""

    METADATA_REMOVED = "hidden details such as the place it was taken removed"
    TURNED = "turned upright"
    CONVERTED = "converted to a type Xero shows"
    RECOMPRESSED = "made smaller"
    SCALED = "scaled down"
    GREYED = "colours removed"
    FIRST_FRAME = "first picture of an animation"
    ACTIVE_CONTENT_REMOVED = "scripts and embedded files removed"
    REPAIRED = "file structure repaired"
    SPLIT = "split into parts"
    MERGED = "merged into one PDF"


class RefusalCode(enum.StrEnum):
    """Why a file cannot be uploaded; `attachment_reasons.sentence` says it in words."""

    EMPTY = "empty"
    MISSING = "missing"
    NOT_A_FILE = "not_a_file"
    SOURCE_TOO_LARGE = "source_too_large"
    UNKNOWN_TYPE = "unknown_type"
    TYPE_NOT_TAKEN = "type_not_taken"
    HAS_MACROS = "has_macros"
    CANNOT_SHRINK = "cannot_shrink"
    ILLEGIBLE_IF_SMALLER = "illegible_if_smaller"
    TOO_SMALL_TO_READ = "too_small_to_read"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_PAGES = "too_many_pages"
    PASSWORD = "password"  # noqa: S105 - a reason, not a secret
    BROKEN = "broken"
    NEEDS_ITS_PROGRAM = "needs_its_program"
    BOMB = "bomb"
    TOO_LONG = "too_long"
    TOO_MUCH_MEMORY = "too_much_memory"
    WORKER_DIED = "worker_died"
    OVER_COUNT = "over_count"
    TOO_MANY_FILES = "too_many_files"


@dataclass(frozen=True, slots=True)
class Original:
    """One file as it came: its name, the hash of its content, its size. It is never modified."""

    name: str
    sha256: str
    byte_count: int


@dataclass(frozen=True, slots=True)
class Upload:
    """One file ready to be attached: `made_from` are the hashes of its originals, in page order."""

    name: str
    content_type: str
    content: bytes
    sha256: str
    made_from: tuple[str, ...]
    changes: tuple[Change, ...] = ()

    @property
    def how(self) -> str:
        """What was done, as a phrase: 'as it is', or 'scaled down, turned upright'."""
        return ", ".join(self.changes) or "as it is"


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that cannot be attached; `reason` is a sentence a shop owner can act on."""

    name: str
    code: RefusalCode
    reason: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The files of one document, made to fit.

    Every original's hash is in the `made_from` of an upload or in a refusal. Two originals with
    one hash are the same content twice and are uploaded once.
    """

    originals: tuple[Original, ...]
    uploads: tuple[Upload, ...]
    refused: tuple[RefusedFile, ...]
