"""The states finance sees."""

from __future__ import annotations

import pytest

from daybook.expenses.problems import Problem, ProblemCode
from daybook.expenses.states import AttachmentState as File
from daybook.expenses.states import ExpenseState, Stage, state_of

MAPPING = Problem(ProblemCode.UNMAPPED_CATEGORY, "Gifts", "Map it.")
REFUSED = Problem(ProblemCode.REFUSED, "x", "Xero said no.")


@pytest.mark.parametrize(
    ("stage", "problems", "files", "state"),
    [
        (Stage.PENDING, [], [], ExpenseState.READY),
        (Stage.PENDING, [MAPPING], [], ExpenseState.NEEDS_MAPPING),
        (Stage.PENDING, [MAPPING, REFUSED], [], ExpenseState.SYNC_ERROR),
        (Stage.SYNCED, [], [], ExpenseState.ATTACHMENT_MISSING),
        (Stage.SYNCED, [], [File.UPLOADED], ExpenseState.SYNCED),
        (Stage.SYNCED, [], [File.UPLOADED, File.PENDING], ExpenseState.ATTACHMENT_WAITING),
        (Stage.SYNCED, [], [File.UPLOADED, File.FAILED], ExpenseState.ATTACHMENT_ERROR),
        (Stage.SYNCED, [], [File.PENDING, File.GIVEN_UP], ExpenseState.ATTACHMENT_ERROR),
        (Stage.SYNCED, [REFUSED], [File.UPLOADED], ExpenseState.UPDATE_ERROR),
        (Stage.BY_HAND, [MAPPING], [], ExpenseState.BY_HAND),
        (Stage.EXCLUDED, [], [File.FAILED], ExpenseState.EXCLUDED),
    ],
)
def test_state_follows_from_what_is_stored(
    stage: Stage, problems: list[Problem], files: list[File], state: ExpenseState
) -> None:
    """Every combination that means something else."""
    assert state is state_of(stage, problems, files)


def test_expense_that_needs_no_receipt_is_clean_without_one() -> None:
    """A person said so."""
    assert ExpenseState.SYNCED is state_of(Stage.SYNCED, [], [], needs_receipt=False)
