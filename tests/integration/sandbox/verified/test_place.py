"""The place itself: signing in both ways, and leaving nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from verified_place import DemoCompany, open_place

from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import RunningSandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verified_place import XeroPlace


@pytest.fixture
def xero() -> Iterator[RunningSandbox]:
    """A sandbox in the part of Xero itself."""
    with serve(SandboxConfig()) as sandbox:
        yield sandbox


def by_refresh_token(xero: RunningSandbox, folder: Path, organisation: int) -> DemoCompany:
    """The way of a web app."""
    file = folder / "refresh_token"
    if not file.exists():
        file.write_text(xero.bootstrap.refresh_token)
    return DemoCompany(
        api_url=xero.bootstrap.api_url,
        identity_url=xero.bootstrap.identity_url,
        client_id=xero.bootstrap.client_id,
        client_secret=SecretStr(xero.bootstrap.client_secret),
        refresh_token_file=file,
        tenant_id=xero.bootstrap.organisations[organisation].tenant_id,
    )


def one_of_each(place: XeroPlace) -> list[str]:
    """Make documents of every kind that hang together; their paths."""
    number, note = place.number(), place.number()
    invoice = place.one("PUT", "/Invoices", json=place.invoice(number))
    credit = place.one("PUT", "/CreditNotes", json=place.credit_note(note, "30.00"))
    target = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": "10.00"}
    path = f"/CreditNotes/{credit['CreditNoteID']}"
    place.one("PUT", f"{path}/Allocations", json={"Allocations": [target]})
    paid = place.one("PUT", "/Payments", json=place.payment(number, "5.00"))
    spent = place.one("PUT", "/BankTransactions", json=place.spend(number))
    return [
        f"/Invoices/{invoice['InvoiceID']}",
        path,
        f"/Payments/{paid['PaymentID']}",
        f"/BankTransactions/{spent['BankTransactionID']}",
    ]


def test_nothing_is_left_behind(xero: RunningSandbox, tmp_path: Path) -> None:
    """Whatever hangs on whatever else is void or deleted afterwards; doing it again is harmless."""
    with open_place(by_refresh_token(xero, tmp_path, 0)) as place:
        paths = one_of_each(place)
        place.clean_up()
        place.clean_up()
        assert ["VOIDED", "VOIDED", "DELETED", "DELETED"] == [
            place.one("GET", path)["Status"] for path in paths
        ]


def test_the_next_refresh_token_is_kept(xero: RunningSandbox, tmp_path: Path) -> None:
    """A refresh token is good for one sign-in: its file has the next one for the next run."""
    company = by_refresh_token(xero, tmp_path, 0)
    assert company.refresh_token_file is not None
    for _ in "12":
        before = company.refresh_token_file.read_text()
        with open_place(company) as place:
            assert "NZD" == place.facts.currency
        assert before != company.refresh_token_file.read_text()


def test_only_a_demo_company_will_do(xero: RunningSandbox, tmp_path: Path) -> None:
    """Books that somebody keeps are not written into."""
    with (
        pytest.raises(AssertionError, match="is not a demo company"),
        open_place(by_refresh_token(xero, tmp_path, 1)),
    ):
        pass


def test_the_demo_company_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a client id the tests stay in the sandbox."""
    monkeypatch.delenv("DAYBOOK_VERIFY_CLIENT_ID", raising=False)
    assert not DemoCompany().is_given
    monkeypatch.setenv("DAYBOOK_VERIFY_CLIENT_ID", "an id")
    monkeypatch.setenv("DAYBOOK_VERIFY_CLIENT_SECRET", "hush")
    assert ("an id", True) == (DemoCompany().client_id, DemoCompany().is_given)
    assert "hush" not in repr(DemoCompany())


def test_limits_are_waited_for(xero: RunningSandbox, tmp_path: Path) -> None:
    """A call that a limit refuses is made again when Xero says so."""
    with open_place(by_refresh_token(xero, tmp_path, 0)) as place:
        fault = {"fault": "rate_limited", "retry_after": 0, "nth": 1}
        place.http.post("/_sandbox/faults", json=fault).raise_for_status()
        assert place.one("GET", "/Organisation")["IsDemoCompany"]
