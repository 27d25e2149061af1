"""A running sandbox, an authorised caller of it, and the official SDK pointed at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox_caller import API, REFERENCE, Caller
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import RunningSandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator


# Xero's document and recorded answers are not part of the repository.
collect_ignore = [] if REFERENCE.exists() else ["test_fidelity.py"]


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSandbox]:
    """One sandbox for all tests of this folder; each test resets it."""
    with serve(SandboxConfig(seed=7, limits=False)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def http(running: RunningSandbox) -> Iterator[httpx.Client]:
    """One HTTP client for all tests: making one costs more than most tests."""
    with httpx.Client(base_url=running.url, timeout=20) as client:
        yield client


@pytest.fixture
def call(running: RunningSandbox, http: httpx.Client) -> Caller:
    """An authorised caller of a fresh world."""
    http.post("/_sandbox/reset")
    return Caller(running, http)


@pytest.fixture
def sdk(running: RunningSandbox, call: Caller) -> Iterator[AccountingApi]:
    """The official SDK pointed at the sandbox."""
    token = {
        "access_token": call.token,
        "expires_in": 1800,
        "expires_at": 4102444800,
        "token_type": "Bearer",
        "refresh_token": "unused",
        "scope": ["accounting.invoices"],
    }
    configuration = Configuration(
        oauth2_token=OAuth2Token(
            client_id=running.bootstrap.client_id, client_secret=running.bootstrap.client_secret
        )
    )
    client = ApiClient(
        configuration, oauth2_token_getter=lambda: token, oauth2_token_saver=lambda _: None
    )
    client.configuration.oauth2_token.update_token(**token)
    yield AccountingApi(client, base_url=running.url + API)
    client.rest_client.pool_manager.clear()
