"""What the expense flows find through the shared wiring: ledger, the sandbox's Xero and Aspire."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from expense_place import connected_expenses
from pydantic import SecretStr

from daybook.clock import SystemClock
from daybook.settings import Settings
from daybook.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expense_place import ExpensePlace

    from daybook.clock import Clock


@contextmanager
def wired_expenses(
    database_url: str, home: Path, clock: Clock | None = None
) -> Iterator[tuple[ExpensePlace, Wiring]]:
    """The place, and a wiring whose settings lead to it."""
    with connected_expenses(database_url, clock) as place:
        app = place.access.app
        settings = Settings(
            home=home,
            database_url=SecretStr(database_url),
            secret_key=SecretStr(place.access.connections.key),
            xero_api_url=app.api_url,
            xero_identity_url=app.identity_url,
            xero_login_url=app.login_url,
            xero_client_id=app.client_id,
            xero_client_secret=SecretStr(app.client_secret),
            aspire_api_url=f"{place.sandbox.url}/aspire",
            aspire_client_id="aspire-client",
            aspire_client_secret=SecretStr("aspire-secret"),
            aspire_has_receipts=True,
        )
        wired = Wiring(settings, clock or SystemClock())
        try:
            yield place, wired
        finally:
            wired.close()


def recent_world(place: ExpensePlace, **asked: object) -> dict[str, Any]:
    """Make Aspire's world, with payments of the last days."""
    answer = place.control.post("/_sandbox/aspire/world", json={"pending_share": 0, **asked})
    content: dict[str, Any] = answer.raise_for_status().json()
    return content
