"""Starting, stopping, killing: what survives in the state file and what a port says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from sandbox_caller import Caller, sales_invoice

from daybook.sandbox.app import create_app, served_endpoints
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve

if TYPE_CHECKING:
    from pathlib import Path

    from daybook.sandbox.server import RunningSandbox


def test_state_survives_a_stop(tmp_path: Path) -> None:
    """Books, tokens, organisations and clock come back; ids and numbers do not repeat."""
    config = SandboxConfig(state_path=tmp_path / "state", limits=False)
    ids = set()
    token = ""
    for number in range(3):
        with serve(config) as sandbox, client(sandbox.url) as http:
            if not token:
                call = Caller(sandbox, http)
                call.control("POST", "/organisations", json={"name": "Third", "country": "SG"})
                call.control("POST", "/clock", json={"advance_seconds": 600})
                token = call.token
            headers = {"Authorization": f"Bearer {token}", "xero-tenant-id": call.tenant_id}
            body = sales_invoice("", LineItems=sales_invoice("x")["LineItems"])
            del body["InvoiceNumber"]
            made = http.put("/api.xro/2.0/Invoices", headers=headers, json=body).json()
            assert f"INV-{number + 1:04}" == made["Invoices"][0]["InvoiceNumber"]
            ids.add(made["Invoices"][0]["InvoiceID"])
            boot = http.get("/_sandbox").json()
            assert 3 == len(boot["organisations"])
            assert 599 < http.get("/_sandbox/clock").json()["offset_seconds"] < 601
            assert number + 1 == len(http.get("/_sandbox/books").json()["invoices"])
    assert 3 == len(ids)


def test_kill_loses_nothing_that_was_answered(tmp_path: Path, running: RunningSandbox) -> None:
    """After kill -9 every answered write is in the books, half a line in the file or not."""
    state = tmp_path / "state"
    words = ["--port", "0", "--limits", "off", "--state", str(state)]
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "daybook.sandbox", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        with process.stdout, client(process.stdout.readline().split()[3]) as http:
            boot = http.get("/_sandbox").json()
            form = {"grant_type": "refresh_token", "refresh_token": boot["refresh_token"]}
            pair = (str(boot["client_id"]), str(boot["client_secret"]))
            token = http.post("/connect/token", data=form, auth=pair).json()["access_token"]
            headers = {
                "Authorization": f"Bearer {token}",
                "xero-tenant-id": running.bootstrap.organisations[0].tenant_id,
            }
            headers["xero-tenant-id"] = http.get("/connections", headers=headers).json()[0][
                "tenantId"
            ]
            for number in range(5):
                body = sales_invoice(f"P-{number}")
                answer = http.put("/api.xro/2.0/Invoices", headers=headers, json=body)
                assert 200 == answer.status_code
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with state.open("ab") as file:
        file.write(b'{"tenant_id": "half a li')
    with (
        serve(SandboxConfig(state_path=state, limits=False)) as sandbox,
        client(sandbox.url) as http,
    ):
        books = http.get("/_sandbox/books").json()
        assert [f"P-{number}" for number in range(5)] == [
            row["number"] for row in books["invoices"]
        ]
        assert 401 != http.get("/connections", headers=headers).status_code


def client(url: str) -> httpx.Client:
    """A client with time for a busy machine."""
    return httpx.Client(base_url=url, timeout=60)


def test_faults_file_is_read_at_start(tmp_path: Path) -> None:
    """Faults of a JSON file strike from the first call on."""
    path = tmp_path / "faults.json"
    path.write_text('[{"match": {"path": "/connections"}, "fault": "unavailable", "nth": 1}]')
    with (
        serve(SandboxConfig(faults_path=path)) as sandbox,
        client(sandbox.url) as http,
    ):
        assert [503, 401] == [http.get("/connections").status_code for _ in "12"]


def test_taken_port_is_an_error(running: RunningSandbox) -> None:
    """A port somebody else has is refused at once."""
    port = int(running.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), serve(SandboxConfig(), port=port):
        pass


def test_tier_decides_the_day(tmp_path: Path) -> None:
    """The starter tier has 1,000 calls a day, core 5,000."""
    for tier, day in (("starter", 1000), ("core", 5000)):
        config = SandboxConfig(tier=tier, state_path=tmp_path / tier)  # type: ignore[arg-type]  # both are tiers
        world = create_app(config).state.simulation
        assert (day, True) == (world.limiter.settings.day, world.limiter.settings.enabled)


def test_same_seed_gives_the_same_world() -> None:
    """Ids, secrets and tokens follow from the seed."""
    first, same, other = (
        create_app(SandboxConfig(seed=seed)).state.simulation.bootstrap() for seed in (3, 3, 4)
    )
    assert first == same
    assert first.client_id != other.client_id
    assert first.organisations[0].tenant_id != other.organisations[0].tenant_id


def test_served_endpoints_are_listed() -> None:
    """What is served can be compared with what a client calls."""
    served = served_endpoints(create_app(SandboxConfig()))
    assert ("PUT", "/api.xro/2.0/Invoices") in served
    assert ("POST", "/connect/token") in served
    assert len(served) == len(set(served))


def test_request_that_broke_off_never_came(running: RunningSandbox, call: Caller) -> None:
    """Its sender died in the middle of the body: no answer, and its key is still free."""
    body = b'{"Contacts":[{"Name":"Zed"}]}'
    headers = {**call.headers, "Idempotency-Key": "once", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    at = urlsplit(running.url)
    with socket.create_connection((at.hostname, at.port)) as half:
        half.sendall(f"PUT /api.xro/2.0/Contacts HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        half.sendall(body[:10])
    time.sleep(0.1)  # until the sandbox has seen the end of it
    answer = call.http.put("/api.xro/2.0/Contacts", headers=headers, content=body)
    assert 200 == answer.status_code, answer.text


def test_endless_body_and_odd_header_are_answered(call: Caller) -> None:
    """Neither is cut in silence, and neither ends in a traceback."""
    long = call.http.put("/api.xro/2.0/Contacts", headers=call.headers, content=b" " * 31 * 2**20)
    assert (413, "The request is too long.") == (long.status_code, long.text)
    odd = [(name.encode(), value.encode()) for name, value in call.headers.items()]
    odd = [*odd[:1], (b"xero-tenant-id", b"\xff\xfe")]
    assert 403 == call.http.get("/api.xro/2.0/Contacts", headers=odd).status_code


def test_reply_leaves_in_one_write(running: RunningSandbox, call: Caller) -> None:
    """Head and body arrive together: a caller is woken once for a call."""
    head = "".join(f"{name}: {value}\r\n" for name, value in call.headers.items())
    request = f"GET /api.xro/2.0/Organisation HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()
    at = urlsplit(running.url)
    with socket.create_connection((at.hostname, at.port)) as caller:
        for _ in range(100):
            caller.sendall(request)
            reply = caller.recv(65536)
            assert reply.startswith(b"HTTP/1.1 200 ")
            assert reply.endswith(b"}")
