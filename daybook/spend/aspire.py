"""Aspire's public API: settled card payments as expenses, card refunds as money that came back.

Client credentials give a token of 900 seconds and no refresh token. Amounts are whole minor units,
negative when money went out. Documented are `/accounts` and `/transactions` with page numbers; a
status this module does not know is a reject, never a guess. Not offered by the public API, and so
not here: receipts, the original currency, the review state.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec

from daybook.errors import FinalError, InputError, RateLimited, Unavailable
from daybook.expenses.expense import Expense, SourceStatus
from daybook.spend.source import SpendPage, SpendReject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.clock import Clock

NAME: Final = "aspire"
_PATH: Final = "/public/v1"
_PER_PAGE: Final = 500
_PAGE_COUNT_MAX: Final = 2000
_TOKEN_MARGIN: Final = dt.timedelta(seconds=60)
_ATTEMPTS_MAX: Final = 4
_CARD_DIGITS: Final = re.compile(r"(\d{4})\D*$")
_UNAUTHORISED, _FORBIDDEN, _LIMITED, _OK, _SERVER = 401, 403, 429, 200, 500
# `posted` is booked and not yet settled: its amount may still change.
_STATUSES: Final = {
    "pending": SourceStatus.PENDING,
    "posted": SourceStatus.PENDING,
    "settled": SourceStatus.SETTLED,
    "refunded": SourceStatus.REFUNDED,
}


class _Info(msgspec.Struct, frozen=True):
    spend_category: str | None = None
    card_number: str | None = None


class _Transaction(msgspec.Struct, frozen=True):
    """What is read of a transaction; a float as amount is refused by its type."""

    id: str
    account_id: str
    datetime: dt.datetime
    amount: int
    currency_code: str
    type: str
    status: str
    channel: str
    reference: str | None = None
    ref_code: str | None = None
    counterparty_name: str | None = None
    additional_info: _Info | None = None


class AspireApi:
    """Signed reads of one Aspire login; repeated while Aspire does not answer."""

    def __init__(
        self,
        http: httpx.Client,
        api_url: str,
        client_id: str,
        client_secret: str,
        *,
        clock: Clock,
    ) -> None:
        """Put it together; nothing is sent yet."""
        self._http = http
        self._url = api_url.rstrip("/")
        self._login = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._clock = clock
        self._token = ""
        self._expires_at = dt.datetime.min.replace(tzinfo=dt.UTC)

    def get(self, path: str, params: dict[str, str]) -> httpx.Response:
        """Read; logs in again when the token has ended.

        Raises:
            Unavailable, RateLimited: Aspire did not answer; nothing was changed.
            FinalError: it refused.
        """
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                return self._get_once(path, params)
            except (Unavailable, RateLimited) as error:
                if attempt == _ATTEMPTS_MAX:
                    raise
                self._clock.sleep(error.retry_after_seconds or 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def pages(self, path: str, params: dict[str, str]) -> Iterator[list[Any]]:
        """Every page of a list, by page number."""
        for page in range(1, _PAGE_COUNT_MAX + 1):
            asked = {**params, "page": str(page), "per_page": str(_PER_PAGE)}
            content = _decoded(self.get(path, asked), path)
            rows, metadata = content.get("data"), content.get("metadata") or {}
            if not isinstance(rows, list):
                raise FinalError(f"Aspire's answer to {path} holds no list; nothing was changed.")
            yield rows
            if not metadata.get("next_page_url"):
                return
        raise FinalError(f"Aspire's list {path} has too many pages; choose a shorter period.")

    def _get_once(self, path: str, params: dict[str, str]) -> httpx.Response:
        if self._clock.now() >= self._expires_at:
            self._log_in()
        response = self._send("GET", path, params=params, headers=self._headers())
        if response.status_code == _UNAUTHORISED:
            self._log_in()
            response = self._send("GET", path, params=params, headers=self._headers())
        return _checked(response, path)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _log_in(self) -> None:
        response = self._send("POST", f"{_PATH}/login", json=self._login)
        if response.status_code in {_UNAUTHORISED, 422}:
            raise FinalError(
                "Aspire does not accept DAYBOOK_ASPIRE_CLIENT_ID and DAYBOOK_ASPIRE_CLIENT_SECRET. "
                "Make a new API key in Aspire's account settings and set both."
            )
        content = _decoded(_checked(response, "/login"), "/login")
        token, seconds = content.get("access_token"), content.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise FinalError("Aspire's answer to the login holds no token; nothing was changed.")
        self._token = token
        self._expires_at = self._clock.now() + dt.timedelta(seconds=seconds) - _TOKEN_MARGIN

    def _send(self, method: str, path: str, **kwargs: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        try:
            return self._http.request(method, self._url + path, **kwargs)
        except httpx.RequestError as error:
            # `from None`: the cause holds the request, and with it the secret.
            raise Unavailable(
                f"Aspire does not answer ({type(error).__name__} on {path})."
            ) from None


class AspireSource:
    """Card payments of all accounts that the login sees."""

    name = NAME

    def __init__(self, api: AspireApi) -> None:
        """Read through this API."""
        self._api = api

    def expenses(self, first_date: dt.date, last_date: dt.date) -> Iterator[SpendPage]:
        """Card payments by the UTC date of the transaction; bank transfers are no expenses."""
        params = {
            "start_date": f"{first_date}T00:00:00Z",
            "end_date": f"{last_date}T23:59:59Z",
        }
        for rows in self._api.pages(f"{_PATH}/transactions", params):
            expenses, rejects, ignored = [], [], 0
            for row in rows:
                read = _expense(row)
                if isinstance(read, Expense):
                    expenses.append(read)
                elif read is None:
                    ignored += 1
                else:
                    rejects.append(read)
            yield SpendPage(tuple(expenses), tuple(rejects), ignored)

    def accounts(self) -> list[dict[str, str]]:
        """The accounts that the login sees: id, name, currency."""
        return [
            {
                "account": f"{NAME}:{row.get('id', '')}",
                "name": str(row.get("name", "")),
                "currency": str(row.get("currency_code", "")),
            }
            for rows in self._api.pages(f"{_PATH}/accounts", {})
            for row in rows
        ]


def _expense(row: object) -> Expense | SpendReject | None:
    """An expense, why the row cannot be read, or None for what is no expense."""
    try:
        one = msgspec.convert(row, type=_Transaction)
    except msgspec.ValidationError as error:
        where = row.get("id", "without id") if isinstance(row, dict) else "without id"
        return SpendReject(f"aspire transaction {where}", f"It cannot be read: {error}.")
    where = f"aspire transaction {one.id}"
    status = _STATUSES.get(one.status)
    if status is None:
        return SpendReject(
            where,
            f"Its status '{one.status}' is not one that Daybook knows; it is left alone until it "
            "changes. Report it with the status.",
        )
    if one.type not in {"debit", "credit"} or (one.amount < 0) != (one.type == "debit"):
        return SpendReject(
            where, f"Its type '{one.type}' and its amount {one.amount} contradict each other."
        )
    if one.datetime.tzinfo is None:
        return SpendReject(where, "Its time has no zone, so its date is not certain.")
    if one.channel != "card":
        return None
    info = one.additional_info or _Info()
    digits = _CARD_DIGITS.search(info.card_number or "")
    return Expense(
        source=NAME,
        id_source=one.id,
        account_id_source=one.account_id,
        status=status,
        spent_date=one.datetime.astimezone(dt.UTC).date(),
        amount_minor=-one.amount,
        currency=one.currency_code,
        merchant=one.counterparty_name or "",
        category=info.spend_category or "",
        reference=one.reference or one.ref_code or "",
        card=digits.group(1) if digits else "",
    )


def _checked(response: httpx.Response, path: str) -> httpx.Response:
    status = response.status_code
    request_id = response.headers.get("aspire-request-id", "none")
    if status == _OK:
        return response
    if status == _LIMITED:
        wait = response.headers.get("retry-after", "")
        seconds = int(wait) if wait.isdigit() else None
        raise RateLimited("Aspire asks for slower calls.", "aspire", seconds)
    if status >= _SERVER:
        raise Unavailable(f"Aspire failed ({status} on {path}, request {request_id}).")
    if status == _FORBIDDEN:
        raise FinalError(
            "Aspire refuses calls from this address (403). Put this machine's address on the "
            f"allow list of the API key in Aspire (request {request_id})."
        )
    raise FinalError(f"Aspire answered {path} with {status} (request {request_id}).")


def _decoded(response: httpx.Response, path: str) -> dict[str, Any]:
    """The JSON object of an answer; numbers with a point arrive as text, never as floats."""
    try:
        content = msgspec.json.Decoder(float_hook=str).decode(response.content)
    except msgspec.DecodeError as error:
        raise Unavailable(f"Aspire's answer to {path} cannot be read.") from error
    if not isinstance(content, dict):
        raise InputError(f"Aspire's answer to {path} is not an object.")
    return content
