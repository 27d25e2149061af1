"""`daybook explain` at the terminal, from a real ledger."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from kopi_corner import connected_chain
from till import NOON, Receipt, batch

from daybook import cli
from daybook.clock import SystemClock
from daybook.jobs.total import total
from daybook.ledger.receipts import write_receipts
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def explain(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run `daybook explain` on a ledger with a planned day and a receipt that came after it."""
    monkeypatch.setenv("DAYBOOK_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["daybook", "explain", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    with connected_chain(database_url) as chain:
        day = StoreDay(NOON.date(), "S01")
        drink = ("Drinks", "GST", 123_456_789, 11_111_111)
        sale = Receipt("R1", lines=(drink,), tenders=(("Cash", 134_567_900),))
        late = Receipt("R2", lines=(("Drinks", "GST", 1000, 90),), tenders=(("Cash", 1089),))
        with chain.engine.begin() as connection:
            write_receipts(connection, batch([sale]), chain.stores, now_at=NOON)
        total(chain.engine, chain.stores, [day], run_id=None, clock=SystemClock())
        assert chain.plan([day]).document_count == 2
        with chain.engine.begin() as connection:
            write_receipts(connection, batch([late]), chain.stores, now_at=NOON)
        app = chain.access.app
        monkeypatch.setenv("DAYBOOK_SECRET_KEY", chain.access.connections.key)
        monkeypatch.setenv("DAYBOOK_XERO_API_URL", app.api_url)
        monkeypatch.setenv("DAYBOOK_XERO_IDENTITY_URL", app.identity_url)
        monkeypatch.setenv("DAYBOOK_XERO_CLIENT_ID", app.client_id)
        monkeypatch.setenv("DAYBOOK_XERO_CLIENT_SECRET", app.client_secret)
        yield run


def test_a_cent_is_found_in_the_ledger(explain: Run) -> None:
    """The receipt, its lines and tenders, the sums beside the documents, and the sentence."""
    code, said = explain("S01", "2026-03-14")
    assert 0 == code
    assert max(map(len, said.splitlines()[:-1])) <= 100
    assert "receipt R2 costs 10.90 and was paid 10.89, -0.01" in said.replace("\n", " ")
    assert "1345689.89" in said
    assert "-10.89" in said


def test_a_script_reads_json(explain: Run) -> None:
    """Sentence, receipts and sums."""
    _, said = explain("S01", "2026-03-14", "--json")
    found = json.loads(said)
    assert ["R2", "R2"] == [row["receipt"] for row in found["receipts"]]
    assert ("tender", "-10.89") == (found["sums"][-1]["sum of"], found["sums"][-1]["difference"])


def test_xero_itself_is_asked_where_wanted(explain: Run) -> None:
    """The ledger's documents are there in any case; what Xero holds only with --xero."""
    _, said = explain("S01", "2026-03-14", "--json")
    found = json.loads(said)
    assert ["planned"] == [row["state"] for row in found["documents"]]
    assert [] == found["xero"]
    _, said = explain("S01", "2026-03-14", "--xero")
    assert "not there" in said
    assert "Xero has no invoice DB-S01-20260314-SGD, the ledger says planned." in said.replace(
        "\n", " "
    )


def test_a_receipt_leads_to_its_documents(explain: Run) -> None:
    """Forward, from the till to the invoice; an unknown store or receipt is one sentence."""
    _, said = explain("S01", "2026-03-14", "--receipt", "R1")
    assert "DB-S01-20260314-SGD line 1" in said
    assert "payment DB-S01-20260314-SGD Cash" in said
    code, said = explain("S01", "2026-03-14", "--receipt", "R9")
    assert 1 == code
    assert "no receipt R9" in said
    code, said = explain("S77", "2026-03-14")
    assert 1 == code
    assert "does not know store S77" in said
