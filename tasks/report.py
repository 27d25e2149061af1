"""Shows what a run did, or would do, as artifacts in the Prefect UI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from daybook import wiring
from daybook.errors import DaybookError
from daybook.jobs import store_day_table
from daybook.jobs.preview import preview as preview_job
from daybook.jobs.reconcile import reconcile
from tasks.step import step

if TYPE_CHECKING:
    from daybook.sales.store import StoreDay


@dataclass(frozen=True, slots=True)
class Reported:
    """A run's summary in markdown, and a sentence for each store-day that needs a person."""

    summary: str
    problems: tuple[str, ...]


@step("reconcile {span}")
def report(store_days: list[StoreDay], span: str) -> Reported:
    """Read Xero back, compare it with ledger and receipts to the cent, and show it."""
    wired = wiring.shared()
    organisations, unread = wired.organisations(), dict[int, DaybookError]()
    clients = {key: wired.client(one) for key, one in organisations.items()}
    lines = reconcile(wired.engine, clients, store_days, unread)
    traded = [line for line in lines if line.line.state != "no_sales"]
    summary = store_day_table.summary(lines)
    create_table_artifact(
        store_day_table.table(traded), key="store-days", description=f"Store-days {span}"
    )
    create_markdown_artifact(summary, key="summary", description=f"Summary {span}")
    links = store_day_table.links(traded, wired.document_url)
    create_markdown_artifact(links, key="documents-in-xero", description=f"Documents {span}")
    get_run_logger().info("%s: %s", span, summary)
    not_read = [
        f"{organisations[key].name} could not be read back: {error}"
        for key, error in unread.items()
    ]
    return Reported(summary, (*not_read, *store_day_table.problems(lines)))


@step("preview {span}")
def preview(store_days: list[StoreDay], span: str) -> str:
    """Show what a run would do; nothing is written to the ledger or to Xero."""
    wired = wiring.shared()
    previews = preview_job(
        wired.engine, wired.source, store_days, prefix=wired.settings.invoice_prefix
    )
    rows = store_day_table.preview_table(previews)
    create_table_artifact(rows, key="dry-run", description=f"Dry run {span}")
    documents = sum(len(one.documents) - one.known_count for one in previews)
    sentence = f"Dry run {span}: {len(rows)} store-days, {documents} documents would be planned."
    get_run_logger().info(sentence)
    return sentence
