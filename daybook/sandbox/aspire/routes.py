"""Aspire's paths: its public API, receipts as no public one offers them, control for tests."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from daybook.sandbox.aspire.pictures import content_of
from daybook.sandbox.aspire.world import ACCOUNTS, Asked, AspireWorld, ReceiptFile, generate
from daybook.sandbox.http import json_reply
from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.http import Request
    from daybook.sandbox.pipeline import Trace
    from daybook.sandbox.simulation import Simulation

PREFIX = "/aspire/public/v1"
RECEIPTS = "/aspire/receipts/v1"
CONTROL = "/_sandbox/aspire"
CHRONICLE = "aspire"
CLIENT_ID, CLIENT_SECRET = "aspire-client", "aspire-secret"
TOKEN_SECONDS = 900
PER_PAGE_DEFAULT, PER_PAGE_MAX = 100, 1000


class NewReceipt(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """What `POST /_sandbox/aspire/receipts` takes; content in base64."""

    transaction_id: str
    name: str
    content: str


def mount(
    world: Simulation,
    recorded: Callable[[str, list[str], Callable[[Request, Trace], Reply]], None],
    plain: Callable[[str, list[str] | None, Callable[[Request], Reply]], None],
) -> None:
    """Serve the API (logged, and open to faults) and its control calls beside Xero's."""
    accounts = _Aspire(world)
    every = ["GET", "PUT", "POST", "DELETE", "PATCH"]
    recorded(PREFIX + "/{path:path}", every, lambda request, _: accounts.answer(request))
    recorded(RECEIPTS + "/{path:path}", every, lambda request, _: accounts.receipts(request))
    plain(CONTROL, ["GET"], accounts.control)
    plain(CONTROL + "/{path:path}", ["POST", "GET"], accounts.control)


class Login(msgspec.Struct, frozen=True, tag=True):
    """An access token that was given out."""

    token: str
    expires_at: datetime


class NewWorld(msgspec.Struct, frozen=True, tag=True):
    """Another world instead of what was there."""

    asked: Asked


class Change(msgspec.Struct, frozen=True, tag=True):
    """A payment that was added or changed."""

    fields: dict[str, Any]


Event = Login | NewWorld | Change | NewReceipt


class _Aspire:
    """The API in front of a generated world; the world is made when first asked for.

    Whatever is done to it is an event first: after a restart the same events are done again.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._made: AspireWorld | None = None
        for event in simulation.chronicle.of(CHRONICLE):
            self._apply(msgspec.json.decode(event, type=Event))

    @property
    def _world(self) -> AspireWorld:
        if self._made is None:
            self._do(NewWorld(Asked()))
        assert self._made is not None
        return self._made

    def _do(self, event: Event) -> None:
        """Let something happen, and note it if it could."""
        if isinstance(event, NewWorld):
            event = NewWorld(event.asked.dated(self._now.date()))
        self._apply(event)
        is_afresh = isinstance(event, NewWorld)
        self._simulation.chronicle.tell(CHRONICLE, event, is_afresh=is_afresh)
        self._simulation.save()

    def _apply(self, event: Event) -> None:
        if isinstance(event, NewWorld):
            self._made = generate(event.asked)
        elif isinstance(event, Login):
            self._world.tokens[event.token] = event.expires_at
        elif isinstance(event, Change):
            self._world.transactions.setdefault(event.fields["id"], {}).update(event.fields)
        else:
            content = base64.b64decode(event.content, validate=True)
            self._world.add_receipt(event.transaction_id, event.name, content)

    @property
    def _now(self) -> datetime:
        return self._simulation.clock.now()

    def answer(self, request: Request) -> Reply:
        """Answer a call of the public API."""
        call = (request.method, request.path[len(PREFIX) :].strip("/"))
        if call == ("POST", "login"):
            return self._login(request)
        if not self._is_known(request):
            return json_reply({"message": "Unauthenticated."}, 401)
        if call == ("GET", "accounts"):
            return json_reply({"data": list(ACCOUNTS)})
        if call == ("GET", "transactions"):
            return self._transactions(request)
        return json_reply({"message": "Not found."}, 404)

    def receipts(self, request: Request) -> Reply:
        """List receipts of payments in a period, or hand one over."""
        if not self._is_known(request):
            return json_reply({"message": "Unauthenticated."}, 401)
        name = request.path[len(RECEIPTS) :].strip("/")
        if name == "receipts":
            return self._receipt_list(request)
        file = self._world.receipts.get(name.removeprefix("files/"))
        if file is None:
            return json_reply({"message": "Not found."}, 404)
        return Reply(200, content_of(file), "application/octet-stream")

    def control(self, request: Request) -> Reply:
        """Make another world, change a payment, add a receipt, or show the credentials."""
        call = (request.method, request.path[len(CONTROL) :].strip("/"))
        try:
            if call == ("POST", "world"):
                self._do(NewWorld(msgspec.json.decode(request.body or b"{}", type=Asked)))
            elif call == ("POST", "transactions"):
                self._do(Change(msgspec.json.decode(request.body, type=dict[str, Any])))
            elif call == ("POST", "receipts"):
                self._do(msgspec.json.decode(request.body, type=NewReceipt))
            elif call != ("GET", ""):
                return json_reply({"error": f"No control call {request.path}"}, 404)
        except (msgspec.DecodeError, binascii.Error, KeyError) as error:
            return json_reply({"error": str(error)}, 400)
        return json_reply(self._as_json())

    def _as_json(self) -> dict[str, object]:
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "accounts": list(ACCOUNTS),
            "transactions": list(self._world.transactions.values()),
            "receipts": [
                {"key": one.key, "transaction_id": one.transaction_id, "name": one.name}
                for one in self._world.receipts.values()
            ],
        }

    def _login(self, request: Request) -> Reply:
        try:
            given = msgspec.json.decode(request.body, type=dict[str, str])
        except msgspec.DecodeError:
            return json_reply({"message": "The given data was invalid."}, 422)
        expected = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        if given != expected:
            return json_reply({"message": "Invalid credentials."}, 401)
        token = secrets.token_hex(24)
        self._do(Login(token, self._now + timedelta(seconds=TOKEN_SECONDS)))
        return json_reply(
            {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        )

    def _is_known(self, request: Request) -> bool:
        token = request.headers.get("authorization", "").partition(" ")[2]
        expires_at = self._world.tokens.get(token)
        return expires_at is not None and self._now < expires_at

    def _transactions(self, request: Request) -> Reply:
        query = request.query()
        found = [
            one
            for one in self._world.transactions.values()
            if _is_asked(one, query)
            and query.get("account_id", one["account_id"]) == one["account_id"]
            and query.get("currency_code", one["currency_code"]) == one["currency_code"]
        ]
        found.sort(key=lambda one: (one["datetime"], one["id"]), reverse=True)
        return _page(found, query, PREFIX + "/transactions")

    def _receipt_list(self, request: Request) -> Reply:
        query = request.query()
        rows = [
            _receipt_json(one)
            for one in self._world.receipts.values()
            if _is_asked(self._world.transactions[one.transaction_id], query)
        ]
        return _page(rows, query, RECEIPTS + "/receipts")


def _is_asked(transaction: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether the payment lies in the period asked for; both ends count."""
    moment = datetime.fromisoformat(transaction["datetime"])
    first, last = query.get("start_date"), query.get("end_date")
    return (not first or moment >= datetime.fromisoformat(first)) and (
        not last or moment <= datetime.fromisoformat(last)
    )


def _receipt_json(file: ReceiptFile) -> dict[str, object]:
    return {"key": file.key, "transaction_id": file.transaction_id, "name": file.name}


def _page(rows: list[Any], query: dict[str, str], path: str) -> Reply:
    """Cut a page and describe where it stands."""
    per_page = min(max(int(query.get("per_page") or PER_PAGE_DEFAULT), 1), PER_PAGE_MAX)
    page = max(int(query.get("page") or 1), 1)
    last = max(-(-len(rows) // per_page), 1)
    return json_reply(
        {
            "data": rows[(page - 1) * per_page : page * per_page],
            "metadata": {
                "total": len(rows),
                "per_page": per_page,
                "current_page": page,
                "first_page_url": f"{path}?page=1",
                "last_page_url": f"{path}?page={last}",
                "next_page_url": f"{path}?page={page + 1}" if page < last else None,
                "prev_page_url": f"{path}?page={page - 1}" if page > 1 else None,
            },
        }
    )
