"""An organisation in which tests may write what they like: a sandbox's, or a demo company of Xero.

Which of the two it is, is all in here: tests find their accounts and tax rates in the organisation
itself, use numbers nobody used before, and what they wrote is voided and deleted afterwards.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path  # noqa: TC003  pydantic reads the annotation at run time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/api.xro/2.0"
DATE = "2026-07-14"
CONTACT = "Daybook verification"
NO_ID = "00000000-0000-0000-0000-000000000000"
SCOPES = (
    "accounting.invoices accounting.payments accounting.banktransactions accounting.contacts "
    "accounting.settings.read accounting.attachments"
)
_IDS = {
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Payments": "PaymentID",
    "BankTransactions": "BankTransactionID",
}
_LAST = frozenset({"Invoices", "CreditNotes"})
_ENDINGS = {"DRAFT": "DELETED", "SUBMITTED": "DELETED", "AUTHORISED": "VOIDED"}
_ATTEMPTS_MAX = 5


class DemoCompany(BaseSettings):
    """Where the real demo company is: a custom connection, or a token's file and a tenant."""

    model_config = SettingsConfigDict(
        env_prefix="DAYBOOK_VERIFY_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    api_url: str = "https://api.xero.com"
    identity_url: str = "https://identity.xero.com"
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token_file: Path | None = None
    tenant_id: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is one; otherwise it is the sandbox."""
        return self.client_id is not None


@dataclass(frozen=True)
class Facts:
    """What a test needs to know of an organisation; rates in percent."""

    currency: str
    sales_account: str
    sales_tax: str
    sales_rate: Decimal
    expense_account: str
    expense_tax: str
    expense_rate: Decimal
    bank_account_id: str


@dataclass
class XeroPlace:
    """One organisation, whosever it is; whatever a test makes in it is undone by `clean_up`."""

    http: httpx.Client
    headers: dict[str, str]
    facts: Facts
    run: str = field(default_factory=lambda: uuid4().hex[:8])
    _count: int = 0
    _made: list[tuple[str, str]] = field(default_factory=list)

    def number(self) -> str:
        """A number or reference that nobody has used before."""
        self._count += 1
        return f"DBV-{self.run}-{self._count}"

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's own
        """Send one call, waiting where a rate limit asks for it; nothing is checked."""
        headers = self.headers | options.pop("headers", {})
        answer = _within_limits(self.http, method, API + path, headers=headers, **options)
        self._remember(method, path, answer)
        return answer

    def ok(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON
        """Send one call that must succeed and return its content, amounts exact."""
        answer = self.send(method, path, **options)
        assert 200 == answer.status_code, answer.text
        return json.loads(answer.content, parse_float=Decimal)

    def one(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON
        """Send one call that answers with exactly one element and return it."""
        content = self.ok(method, path, **options)
        (element,) = next(value for value in content.values() if isinstance(value, list))
        return element

    def refused(self, method: str, path: str, **options: Any) -> list[str]:  # noqa: ANN401  httpx's own
        """Send one call that must be refused by validation and return all messages."""
        answer = self.send(method, path, **options)
        assert 400 == answer.status_code, answer.text
        content = answer.json()
        assert "ValidationException" == content["Type"]
        return [
            problem["Message"]
            for element in content["Elements"]
            for problem in element["ValidationErrors"]
        ]

    def line(self, amount: str, **fields: object) -> dict[str, object]:
        """A line of sales."""
        return {
            "Description": "Food",
            "Quantity": 1,
            "UnitAmount": amount,
            "AccountCode": self.facts.sales_account,
            "TaxType": self.facts.sales_tax,
            **fields,
        }

    def invoice(self, number: str, *amounts: str, **fields: object) -> dict[str, object]:
        """An approved sales invoice, amounts before tax."""
        return {
            "Type": "ACCREC",
            "Contact": {"Name": CONTACT},
            "Date": DATE,
            "DueDate": DATE,
            "LineAmountTypes": "Exclusive",
            "InvoiceNumber": number,
            "Status": "AUTHORISED",
            "LineItems": [self.line(amount) for amount in amounts or ("100.00",)],
            **fields,
        }

    def credit_note(self, number: str, amount: str) -> dict[str, object]:
        """An approved sales credit note without tax."""
        note = self.invoice("", amount, LineAmountTypes="NoTax", Type="ACCRECCREDIT")
        del note["InvoiceNumber"], note["DueDate"]
        return note | {"CreditNoteNumber": number}

    def payment(self, number: str, amount: str, **fields: object) -> dict[str, object]:
        """A payment of an invoice into the bank account."""
        account = {"AccountID": self.facts.bank_account_id}
        paid = {"Invoice": {"InvoiceNumber": number}, "Account": account}
        return {**paid, "Date": DATE, "Amount": amount, **fields}

    def spend(self, reference: str, amount: str = "20.00", **fields: object) -> dict[str, object]:
        """Money spent from the bank account, tax included; `fields` are the line's."""
        line = {
            "Description": "Taxi",
            "Quantity": 1,
            "UnitAmount": amount,
            "AccountCode": self.facts.expense_account,
            "TaxType": self.facts.expense_tax,
        }
        return {
            "Type": "SPEND",
            "Contact": {"Name": CONTACT},
            "BankAccount": {"AccountID": self.facts.bank_account_id},
            "Date": DATE,
            "Reference": reference,
            "LineItems": [{**line, **fields}],
        }

    def clean_up(self) -> None:
        """Undo what was made; payments and allocations first, what is gone already not at all."""
        made = sorted(dict.fromkeys(self._made), key=lambda one: one[0] in _LAST)
        for collection, key in made:
            if collection.endswith("/Allocations"):
                self.send("DELETE", f"/{collection}/{key}")
                continue
            status = self.one("GET", f"/{collection}/{key}")["Status"]
            if collection in {"Payments", "BankTransactions"}:
                ending = "DELETED" if status == "AUTHORISED" else None
            else:
                ending = _ENDINGS.get(status)
            if ending:
                self.ok("POST", f"/{collection}/{key}", json={"Status": ending})
        self._made.clear()

    def _remember(self, method: str, path: str, answer: httpx.Response) -> None:
        """Note what there is to undo: what a write answers with, and what a test looks up by name.

        The latter may have been saved behind a 400, which does not tell.
        """
        name, _, rest = path.strip("/").partition("?")[0].partition("/")
        if answer.status_code != httpx.codes.OK or name not in _IDS:
            return
        if rest.endswith("/Allocations"):
            rows = answer.json()["Allocations"]
            self._made += [(f"{name}/{rest}", row["AllocationID"]) for row in rows]
        elif "/" not in rest and (rest or method != "GET"):
            found = [row.get(_IDS[name]) for row in answer.json()[name]]
            self._made += [(name, key) for key in found if key and key != NO_ID]


def _within_limits(http: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's own
    answer = http.request(method, path, **options)
    for _ in range(_ATTEMPTS_MAX):
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(int(answer.headers.get("retry-after", "1")))
        answer = http.request(method, path, **options)
    return answer


@contextmanager
def open_place(company: DemoCompany) -> Iterator[XeroPlace]:
    """Sign in: to the demo company that is given, or else to a sandbox of its own."""
    if company.is_given:
        with _signed_in(company) as place:
            yield place
        return
    with serve(SandboxConfig(limits=False)) as sandbox:
        boot = sandbox.bootstrap
        given = DemoCompany(
            api_url=boot.api_url,
            identity_url=boot.identity_url,
            client_id=boot.custom_connection_client_id,
            client_secret=SecretStr(boot.custom_connection_client_secret),
        )
        with _signed_in(given) as place:
            yield place


@contextmanager
def _signed_in(company: DemoCompany) -> Iterator[XeroPlace]:
    with httpx.Client(base_url=company.api_url, timeout=90) as http:
        headers = {"Authorization": f"Bearer {_token(company)}", "Accept": "application/json"}
        if company.tenant_id:
            headers["xero-tenant-id"] = company.tenant_id
        yield XeroPlace(http, headers, _facts(http, headers))


def _token(company: DemoCompany) -> str:
    """An access token; a refresh token is used up by this, so its file gets the next one."""
    assert company.client_id is not None
    assert company.client_secret is not None, "DAYBOOK_VERIFY_CLIENT_SECRET is missing"
    file = company.refresh_token_file
    form = {"grant_type": "client_credentials", "scope": SCOPES}
    if file is not None:
        form = {"grant_type": "refresh_token", "refresh_token": file.read_text().strip()}
    answer = httpx.post(
        f"{company.identity_url}/connect/token",
        data=form,
        auth=(company.client_id, company.client_secret.get_secret_value()),
        timeout=30,
    )
    content = answer.json()
    assert "access_token" in content, f"Xero refused the sign-in: {content.get('error')}"
    if file is not None:
        file.write_text(content["refresh_token"])
    return str(content["access_token"])


def _facts(http: httpx.Client, headers: dict[str, str]) -> Facts:
    """Find what can be posted to; only a demo company will do."""

    def read(path: str) -> list[dict[str, Any]]:
        answer = _within_limits(http, "GET", API + path, headers=headers)
        assert 200 == answer.status_code, answer.text
        content = json.loads(answer.content, parse_float=Decimal)
        return next(value for value in content.values() if isinstance(value, list))

    (organisation,) = read("/Organisation")
    assert organisation["IsDemoCompany"], f"{organisation['Name']} is not a demo company"
    accounts = [row for row in read("/Accounts") if row["Status"] == "ACTIVE"]
    rates = [
        row
        for row in read("/TaxRates")
        if row["Status"] == "ACTIVE" and Decimal(row["EffectiveRate"]) > 0
    ]
    sales = _first(rates, "TaxType", ("OUTPUT2", "OUTPUT"), CanApplyToRevenue=True)
    expense = _first(rates, "TaxType", ("INPUT2", "INPUT"), CanApplyToExpenses=True)
    bank = _first(accounts, "CurrencyCode", (organisation["BaseCurrency"],), Type="BANK")
    return Facts(
        currency=organisation["BaseCurrency"],
        sales_account=_first(accounts, "Type", ("REVENUE", "SALES"), Class="REVENUE")["Code"],
        sales_tax=sales["TaxType"],
        sales_rate=Decimal(sales["EffectiveRate"]),
        expense_account=_first(accounts, "Type", ("EXPENSE", "OVERHEADS"), Class="EXPENSE")["Code"],
        expense_tax=expense["TaxType"],
        expense_rate=Decimal(expense["EffectiveRate"]),
        bank_account_id=bank["AccountID"],
    )


def _first(
    rows: list[dict[str, Any]], name: str, wanted: tuple[str, ...], **needed: object
) -> dict[str, Any]:
    """The first row that is as needed; one whose field is as wanted goes before the others."""
    fit = [row for row in rows if all(row.get(key) == value for key, value in needed.items())]
    assert fit, f"the organisation has nothing with {needed}"
    return min(fit, key=lambda row: (*wanted, row.get(name)).index(row.get(name)))


def cents(amount: Decimal) -> Decimal:
    """Round half away from zero, as Xero does."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
