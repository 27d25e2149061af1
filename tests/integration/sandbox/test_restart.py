"""What a sandbox with a state file still knows after it was stopped, beside its books."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from sandbox_caller import Caller, sales_invoice

from daybook.sandbox import state_file
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from daybook.sandbox.server import RunningSandbox

NOON = "2026-07-20T12:00:00"


@contextmanager
def started(state: Path) -> Iterator[tuple[RunningSandbox, httpx.Client]]:
    """A sandbox over this state, its clock standing still from the first start on."""
    config = SandboxConfig(state_path=state)
    with serve(config) as sandbox, httpx.Client(base_url=sandbox.url, timeout=60) as http:
        if http.get("/_sandbox/clock").json()["frozen"] is False:
            http.post("/_sandbox/clock", json={"set": NOON, "freeze": True})
        yield sandbox, http


def advance(http: httpx.Client, seconds: int) -> None:
    """Move the sandbox's clock."""
    http.post("/_sandbox/clock", json={"advance_seconds": seconds}).raise_for_status()


def put_keyed(caller: Caller, number: str) -> httpx.Response:
    """An invoice under the one key of these tests."""
    headers = {"Idempotency-Key": "night-1"}
    return caller.send("PUT", "/Invoices", json=sales_invoice(number), headers=headers)


def test_a_key_is_known_after_a_restart(tmp_path: Path) -> None:
    """The first reply is given again, another request is refused, and six minutes are no more."""
    with started(tmp_path / "state") as place:
        caller = Caller(*place)
        first = put_keyed(caller, "P-1")
    for _ in "12":
        with started(tmp_path / "state") as place:
            caller = Caller(*place)
            assert first.content == put_keyed(caller, "P-1").content
            assert "different request" in put_keyed(caller, "P-2").json()["Message"]
    with started(tmp_path / "state") as (sandbox, http):
        caller = Caller(sandbox, http)
        advance(http, 361)
        assert 200 == put_keyed(caller, "P-2").status_code
        assert ["P-1", "P-2"] == [
            row["number"] for row in http.get("/_sandbox/books").json()["invoices"]
        ]


def remaining(answer: httpx.Response) -> tuple[str, str, str]:
    """What the headers say about the three windows."""
    names = ("x-minlimit-remaining", "x-daylimit-remaining", "x-appminlimit-remaining")
    return (answer.headers[names[0]], answer.headers[names[1]], answer.headers[names[2]])


def test_rate_windows_go_on_after_a_restart(tmp_path: Path) -> None:
    """Calls made before a restart count, reads too; a reset before it is remembered."""
    state = tmp_path / "state"
    with started(state) as place:
        caller = Caller(*place)
        for _ in range(3):
            caller.send("GET", "/Organisation")
    with started(state) as place:
        caller = Caller(*place)
        assert ("56", "4996", "9996") == remaining(caller.send("GET", "/Organisation"))
    with started(state) as (_, http):
        http.post("/_sandbox/limits", json={"reset": True}).raise_for_status()
    with started(state) as place:
        caller = Caller(*place)
        assert ("59", "4999", "9999") == remaining(caller.send("GET", "/Organisation"))


def test_tills_are_the_same_after_a_restart(tmp_path: Path) -> None:
    """Shops and their receipts stay, whether they were asked for or there from the start."""
    state, shown, totals = tmp_path / "state", "/_sandbox/pos", "/_sandbox/pos/totals"
    with started(state) as (_, http):
        untouched = http.get(shown).json()
        advance(http, 3 * 86_400)
    with started(state) as (_, http):
        assert untouched == http.get(shown).json()
        asked = {"seed": 9, "day_count": 2, "receipts_per_day": 3, "shops": []}
        chosen = http.post("/_sandbox/pos/shops", json=asked).json()
        assert untouched["first_date"] != chosen["first_date"]
        sold = http.get(totals).json()
        assert sold["totals"]
        advance(http, 86_400)
    with started(state) as (_, http):
        assert chosen == http.get(shown).json()
        assert len(sold["totals"]) <= len(http.get(totals).json()["totals"])
        advance(http, -86_400)
        assert sold == http.get(totals).json()


def test_expense_accounts_are_the_same_after_a_restart(tmp_path: Path) -> None:
    """Aspire's payments, what was changed on them, receipts and tokens stay."""
    state, shown = tmp_path / "state", "/_sandbox/aspire"
    receipt = b"%PDF-1.4 taxi"
    with started(state) as (_, http):
        advance(http, 86_400)
        http.post(f"{shown}/world", json={"seed": 3, "transaction_count": 5, "receipt_share": 0})
        payment = http.get(shown).json()["transactions"][0]
        http.post(f"{shown}/transactions", json=payment | {"status": "settled", "amount": -777})
        given = {"transaction_id": payment["id"], "name": "taxi.pdf"}
        http.post(f"{shown}/receipts", json=given | {"content": base64.b64encode(receipt).decode()})
        known = http.get(shown).json()
        headers = {"Authorization": f"Bearer {aspire_token(http, known)}"}
    with started(state) as (_, http):
        assert known == http.get(shown).json()
        assert (5, -777, 1) == (
            len(known["transactions"]),
            known["transactions"][0]["amount"],
            len(known["receipts"]),
        )
        file = f"/aspire/receipts/v1/files/{known['receipts'][0]['key']}"
        assert receipt == http.get(file, headers=headers).content
        http.post(f"{shown}/world", json={"seed": 4, "transaction_count": 2})
        fresh = http.get(shown).json()
    with started(state) as (_, http):
        assert fresh == http.get(shown).json()
        assert 401 == http.get(file, headers=headers).status_code


def aspire_token(http: httpx.Client, credentials: dict[str, Any]) -> str:
    """Sign in to Aspire."""
    answer = http.post(
        "/aspire/public/v1/login",
        json={
            "grant_type": "client_credentials",
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
        },
    )
    return str(answer.json()["access_token"])


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has grown much is written anew; what has run out is left behind."""
    monkeypatch.setattr(state_file, "GROWTH_BYTES", 100_000)
    state = tmp_path / "state"
    with started(state) as (sandbox, http):
        caller = Caller(sandbox, http)
        for number in range(60):
            caller.sign_in()
            headers = {"Idempotency-Key": f"try-{number}"}
            caller.send("GET", "/Invoices")
            caller.send("POST", "/Invoices", json=sales_invoice("P-1"), headers=headers)
            advance(http, 361)
        largest = state.stat().st_size
        known = http.get("/_sandbox/books").json()
    assert largest < 500_000, "without compaction it is 7 MB"
    with started(state) as (_, http):
        assert known == http.get("/_sandbox/books").json()
