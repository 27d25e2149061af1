"""The demo's expenses on the running stack: synced, one upload retried, tables and check line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import httpx
import pytest
from rich.console import Console

from daybook.wiring import Wiring
from deployments.demo import expense_chart
from deployments.demo.expense_story import DEPLOYMENTS, ExpenseStory
from deployments.demo.flow_runs import DemoFailed, FlowRuns, Wanted
from deployments.demo.story import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deployments.demo.stack import Stack

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]
COLUMNS = 100


class Told(list[str]):
    """A story's spoken lines, and what it printed."""

    def __init__(self) -> None:
        """Print into memory, as wide as the demo prints into a file."""
        super().__init__()
        self.write_counts: list[int] = []
        self.console = Console(file=io.StringIO(), width=COLUMNS, highlight=False)

    @property
    def printed(self) -> str:
        """Everything printed so far."""
        assert isinstance(self.console.file, io.StringIO)
        return self.console.file.getvalue()


@pytest.fixture(scope="module")
def told(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The story from preparing to its tables, twice, by way of the real deployments."""
    said = Told()
    wired = Wiring(stack.settings)
    story = ExpenseStory(stack, wired, said.console, said.append)
    folder = tmp_path_factory.mktemp("story")
    prepare(stack, story, folder)
    sync, attach = DEPLOYMENTS
    runs = FlowRuns(stack, said.console, said.append, str)
    runs.watch([Wanted(sync, {})])
    story.tell_failed()
    runs.watch([Wanted(attach, {})])
    story.tell_arrived()
    story.show()
    said.write_counts.append(writes(stack))
    prepare(stack, story, folder)
    runs.watch([Wanted(sync, {}), Wanted(attach, {})])
    story.show()
    said.write_counts.append(writes(stack))
    yield said
    wired.close()


def prepare(stack: Stack, story: ExpenseStory, folder: Path) -> None:
    """The organisation, connected, and what the story itself makes ready."""
    with httpx.Client(base_url=stack.sandbox_url, timeout=60) as sandbox:
        sandbox.delete("/_sandbox/faults")
        sandbox.post("/_sandbox/organisations", json=expense_chart.organisation())
        names = {one.name for one in story.wired.organisations().values()}
        if expense_chart.ORGANISATION not in names:
            connect(story.wired.xero(), sandbox)
        story.prepare(sandbox, folder)


def writes(stack: Stack) -> int:
    """How many calls have written into Xero."""
    asked = {"path": "/api.xro/", "writes": "1"}
    answer = httpx.get(f"{stack.sandbox_url}/_sandbox/requests", params=asked, timeout=30)
    count: int = answer.json()["count"]
    return count


def test_failed_receipt_is_retried_and_arrives(told: Told) -> None:
    """The upload that Xero refuses is told with its next time, and then with its second attempt."""
    failed = [line for line in told if "failed at attempt 1, due again" in line]
    arrived = [line for line in told if "arrived at attempt 2" in line]
    assert (1, 1) == (len(failed), len(arrived))
    name = failed[0].split("'")[1]
    assert f"Receipt '{name}'" in arrived[0]
    assert any("13 synced, 1 synced: attachment error" in line for line in told)


def test_both_tables_and_the_check_line_are_printed_in_100_columns(told: Told) -> None:
    """Every expense with its reference, every receipt with its size, and that all are equal."""
    printed = told.printed
    assert "14 expenses = 14 spend money transactions, to the cent; 17 receipts attached." in (
        printed
    )
    assert 2 * 14 == printed.count("DB-EXP-aspire-")
    assert 2 * 17 == printed.count("uploaded  ")
    assert COLUMNS >= max(len(line) for line in printed.splitlines())


def test_second_demo_writes_nothing(told: Told) -> None:
    """The same payments and receipts again: not one writing call."""
    first, second = told.write_counts
    assert first == second
    assert first > 17


def test_missing_bank_transaction_is_not_called_equal(stack: Stack, told: Told) -> None:
    """One expense less in Xero, and the story ends with both counts instead of the check line."""
    assert told
    wired = Wiring(stack.settings)
    story = ExpenseStory(stack, wired, told.console, told.append)
    extra = {"id": "one-more", "datetime": "2026-01-05T00:00:00Z", "amount": -100}
    httpx.post(f"{stack.sandbox_url}/_sandbox/aspire/transactions", json=extra, timeout=60)
    with pytest.raises(DemoFailed, match="has 15 payments") as caught:
        story.show()
    wired.close()
    assert "Xero 14 of 480428." in str(caught.value)
