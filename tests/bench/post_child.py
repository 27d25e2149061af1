"""Posts 1,000 store-days of five tenders once, in one way, and says how; a process of its own.

python post_child.py daybook|batched|one_by_one DATABASE_URL
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from kopi_night import Books, Night, expected_books, night, night_totals
from xero_python.accounting import AccountingApi, models
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from daybook.clock import SystemClock
from daybook.jobs.connect import XeroAccess, client_of
from daybook.jobs.plan import plan
from daybook.jobs.post import post
from daybook.ledger.connections import Connections
from daybook.ledger.organisations import read_organisations
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH = 50


def main() -> None:
    """Do it and print what it took."""
    how, database_url = sys.argv[1:]
    totals = night_totals(50, 20, tender_count=5, has_refunds=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        night(database_url, Path(folder), totals) as prepared,
    ):
        prepared.start_again()
        since = prepared.control.get("/_sandbox/requests").json()["last"]
        seconds = _by_daybook(prepared) if how == "daybook" else _by_sdk(prepared, how)
        log = prepared.control.get(
            "/_sandbox/requests", params={"since": since, "path": "/api.xro/"}
        ).json()
        expected = expected_books(totals)
        held = prepared.books()
        assert _amounts(expected) == _amounts(held), "the books are not complete"
        documents = len(expected.documents) + len(expected.payments)
    answer = {"calls": log["count"], "documents": documents, "seconds": seconds}
    print(json.dumps(answer))  # noqa: T201 - the answer


def _amounts(books: Books) -> tuple[list[str], list[str]]:
    return sorted(row[1] for row in books.documents), sorted(row[2] for row in books.payments)


def _by_daybook(prepared: Night) -> float:
    """From documents planned in the ledger to outcomes recorded there."""
    clock = SystemClock()
    engine = prepared.engine
    plan(engine, prepared.days, prefix="DB", run_id="bench", clock=clock)
    with open_http() as http:
        access = XeroAccess(
            app=XeroApp(redirect_url="http://localhost:8765/callback", **prepared.app),
            http=http,
            connections=Connections(engine, prepared.secret_key),
            budget=Unlimited(),
            clock=clock,
        )
        with engine.connect() as connection:
            (organisation,) = [
                one
                for one in read_organisations(connection).values()
                if one.tenant_id_xero == prepared.tenant_id
            ]
        client = client_of(access, organisation.connection_id, organisation.tenant_id_xero)
        started = time.perf_counter()
        posted = post(engine, client, organisation, prepared.days, run_id="bench", clock=clock)
        seconds = time.perf_counter() - started
    assert posted.posted_count == 6000
    return seconds


def _by_sdk(prepared: Night, how: str) -> float:
    """From plain figures to the SDK's own models of what was saved; nothing is kept anywhere."""
    api = _sdk(prepared)
    tenant = prepared.tenant_id
    expected = expected_books(prepared.totals)
    started = time.perf_counter()
    size = BATCH if how == "batched" else 1
    ids: dict[str, str] = {}
    invoices = [_invoice(total) for total in prepared.totals]
    for batch in _parts(invoices, size):
        saved = api.create_invoices(
            tenant, models.Invoices(invoices=batch), summarize_errors=False
        ).invoices
        ids |= {one.invoice_number: one.invoice_id for one in saved}
    payments = [
        models.Payment(
            invoice=models.Invoice(invoice_id=ids[number]),
            account=models.Account(code=account),
            date=dt.date.fromisoformat(date),
            amount=Decimal(amount),
            reference=reference,
        )
        for number, reference, amount, account, date in expected.payments
    ]
    for batch in _parts(payments, size):
        api.create_payments(tenant, models.Payments(payments=batch), summarize_errors=False)
    return time.perf_counter() - started


def _parts(these: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(these), size):
        yield these[start : start + size]


def _invoice(total: Any) -> Any:  # noqa: ANN401 - the SDK has no types
    return models.Invoice(
        type="ACCREC",
        contact=models.Contact(name="Daily sales"),
        date=total.business_date,
        due_date=total.business_date,
        line_amount_types=models.LineAmountTypes("Exclusive"),
        invoice_number=f"DB-{total.store_id}-{total.business_date:%Y%m%d}",
        status="AUTHORISED",
        line_items=[
            models.LineItem(
                description=one.category,
                quantity=Decimal(1),
                unit_amount=Decimal(one.net_minor).scaleb(-2),
                account_code="200",
                tax_type="OUTPUT2",
                tax_amount=Decimal(one.tax_minor).scaleb(-2),
            )
            for one in total.categories
        ],
    )


def _sdk(prepared: Night) -> Any:  # noqa: ANN401 - the SDK has no types
    boot = prepared.control.get("/_sandbox").json()
    token = httpx.post(
        f"{boot['identity_url']}/connect/token",
        data={"grant_type": "refresh_token", "refresh_token": boot["refresh_token"]},
        auth=(boot["client_id"], boot["client_secret"]),
    ).json()
    token |= {"expires_at": 4102444800, "scope": ["accounting.invoices"]}
    configuration = Configuration(
        oauth2_token=OAuth2Token(client_id=boot["client_id"], client_secret=boot["client_secret"])
    )
    client = ApiClient(
        configuration, oauth2_token_getter=lambda: token, oauth2_token_saver=lambda _: None
    )
    client.configuration.oauth2_token.update_token(**token)
    return AccountingApi(client, base_url=f"{boot['api_url']}/api.xro/2.0")


if __name__ == "__main__":
    main()
