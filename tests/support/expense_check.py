"""Whether every expense and every receipt ended as it should, whatever went wrong on the way."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pikepdf
from PIL import Image
from sqlalchemy import text

from daybook.expenses.states import Stage

if TYPE_CHECKING:
    from expense_place import ExpensePlace

BYTES_MAX = 3_000_000


@dataclass(frozen=True)
class Arrived:
    """What is in Xero in the end: documents, files on them, originals that are not there."""

    document_count: int
    file_count: int
    given_up_count: int


def assert_books(place: ExpensePlace, world: dict[str, Any]) -> Arrived:
    """Each expense once and to the cent, each file that can be attached there and readable.

    Every receipt of the card account is either part of a file in Xero or named with its reason.
    """
    rows = place.bank_transactions()
    there = Counter((row["Reference"], Decimal(row["Total"])) for row in rows)
    wanted = Counter(
        (f"DB-EXP-aspire-{one['id']}", abs(Decimal(one["amount"])) / 100)
        for one in world["transactions"]
    )
    assert wanted == there
    assert {Stage.SYNCED} == {one.stage for one in place.expenses()}
    with place.engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT a.key, a.state, a.reason, a.uploaded_name, d.id_xero "
                "FROM expense_attachments a JOIN expenses e USING (expense_id) "
                "JOIN documents d ON d.id = e.document_id"
            )
        ).all()
    assert sorted(one["key"] for one in world["receipts"]) == sorted(row.key for row in found)
    assert {"uploaded", "given_up"} >= {row.state for row in found}
    refused = [row.reason for row in found if row.state == "given_up"]
    assert all("broken" in reason or "damaged" in reason for reason in refused)
    names = {
        (row.id_xero, name)
        for row in found
        if row.uploaded_name
        for name in row.uploaded_name.split(", ")
    }
    stored = place.sandbox.simulation.organisations[place.organisation.tenant_id_xero].attachments
    assert names == {(one.parent_id, one.file_name) for one in stored}
    assert 10 >= max(Counter(one.parent_id for one in stored).values())
    for one in stored:
        assert_opens(one.file_name, one.content)
    return Arrived(len(rows), len(names), len(refused))


def assert_opens(name: str, content: bytes) -> None:
    """A reader can open it, to the last pixel or page, and it is within the limit."""
    assert len(content) < BYTES_MAX
    if name.endswith(".pdf"):
        with pikepdf.open(io.BytesIO(content)) as document:
            assert len(document.pages) > 0
    else:
        Image.open(io.BytesIO(content)).load()
