"""Where an expense stands, in the words finance sees. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from daybook.expenses.problems import SYNC_ERRORS

if TYPE_CHECKING:
    from collections.abc import Collection

    from daybook.expenses.problems import Problem


class Stage(StrEnum):
    """The stored part of the state."""

    PENDING = "pending"
    SYNCED = "synced"
    BY_HAND = "by_hand"
    EXCLUDED = "excluded"


class AttachmentState(StrEnum):
    """Where one receipt's file stands."""

    PENDING = "pending"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    NOT_NEEDED = "not_needed"


class ExpenseState(StrEnum):
    """What finance sees."""

    NEEDS_MAPPING = "pending: needs mapping"
    READY = "pending: ready"
    SYNC_ERROR = "pending: sync error"
    SYNCED = "synced"
    ATTACHMENT_WAITING = "synced: attachment on its way"
    ATTACHMENT_MISSING = "synced: attachment missing"
    ATTACHMENT_ERROR = "synced: attachment error"
    UPDATE_ERROR = "synced: sync error"
    BY_HAND = "by hand"
    EXCLUDED = "excluded"


def state_of(
    stage: Stage,
    problems: Collection[Problem],
    attachments: Collection[AttachmentState],
    *,
    needs_receipt: bool = True,
) -> ExpenseState:
    """The state that follows from what is stored."""
    if stage is Stage.BY_HAND:
        return ExpenseState.BY_HAND
    if stage is Stage.EXCLUDED:
        return ExpenseState.EXCLUDED
    if stage is Stage.SYNCED:
        return ExpenseState.UPDATE_ERROR if problems else _synced(attachments, needs_receipt)
    if not problems:
        return ExpenseState.READY
    if any(one.code in SYNC_ERRORS for one in problems):
        return ExpenseState.SYNC_ERROR
    return ExpenseState.NEEDS_MAPPING


def _synced(attachments: Collection[AttachmentState], needs_receipt: bool) -> ExpenseState:  # noqa: FBT001 - private
    if {AttachmentState.FAILED, AttachmentState.GIVEN_UP} & set(attachments):
        return ExpenseState.ATTACHMENT_ERROR
    if {AttachmentState.PENDING, AttachmentState.UPLOADING} & set(attachments):
        return ExpenseState.ATTACHMENT_WAITING
    has_receipt = AttachmentState.UPLOADED in attachments
    return (
        ExpenseState.SYNCED if has_receipt or not needs_receipt else ExpenseState.ATTACHMENT_MISSING
    )
