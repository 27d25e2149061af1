"""Replies become JSON or the error that says what is known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from daybook.errors import (
    FinalError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    Unavailable,
    UnknownOutcome,
)
from daybook.xero.responses import Reply, json_of, messages_of, validation_messages

_REFUSAL = b"""{"ErrorNumber": 10, "Type": "ValidationException",
 "Message": "A validation exception occurred", "Elements": [
  {"InvoiceNumber": "A", "ValidationErrors": [{"Message": "Invoice # must be unique."}],
   "Contact": {"ValidationErrors": [{"Description": "Email address must be valid."}]},
   "LineItems": [{"ValidationErrors": [{"Message": "Account code must be specified"}]},
                 {"ValidationErrors": [{"Message": "Account code must be specified"}]}]}]}"""


def _write(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, headers or {}, body, "PUT /Invoices", was_write=True)


def _read(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, headers or {}, body, "GET /Invoices", was_write=False)


def test_amounts_arrive_exactly() -> None:
    """A number with a point is a Decimal with the digits of the wire."""
    assert {"Total": Decimal("20.10"), "Count": 2} == json_of(
        _read(200, b'{"Total": 20.10, "Count": 2}')
    )
    assert str(json_of(_read(200, b'{"Total": 20.10}'))["Total"]) == "20.10"


@pytest.mark.parametrize("body", [b"", b'{"Invoices": [{"Inv', b"<html>", b"[]", b"\xff\xfe{}"])
def test_an_unreadable_success_of_a_write_leaves_its_outcome_unknown(body: bytes) -> None:
    """Xero said 200: it may well have saved what was sent."""
    with pytest.raises(UnknownOutcome, match="PUT /Invoices"):
        json_of(_write(200, body))


def test_an_unreadable_success_of_a_read_may_be_tried_again() -> None:
    """A read changes nothing, so asking again is safe."""
    with pytest.raises(Unavailable):
        json_of(_read(200, b"{"))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408])
def test_a_server_error_leaves_a_write_unknown_and_a_read_unavailable(status: int) -> None:
    """Whether Xero failed before or after saving cannot be told from its answer."""
    with pytest.raises(UnknownOutcome):
        json_of(_write(status, b"The Xero API is temporarily unavailable"))
    with pytest.raises(Unavailable):
        json_of(_read(status, b"<html>"))


def test_a_refusal_collects_every_message_once_however_deep() -> None:
    """Messages of the element, its contact and its lines are all shown."""
    with pytest.raises(Refused, match="must be unique") as caught:
        json_of(_write(400, _REFUSAL))
    assert (
        "Invoice # must be unique.",
        "Email address must be valid.",
        "Account code must be specified",
    ) == caught.value.messages


def test_other_bad_requests_say_what_xero_says() -> None:
    """A write with a wrong root key or a bad date is refused as a whole, in Xero's words."""
    body = b'{"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "not a valid date"}'
    with pytest.raises(Refused, match="Xero refused PUT /Invoices: not a valid date") as caught:
        json_of(_write(400, body))
    assert ("not a valid date",) == caught.value.messages


def test_a_bad_question_is_no_refusal() -> None:
    """A bad filter is nothing that a document could be at fault for."""
    with pytest.raises(FinalError, match="No property") as caught:
        json_of(_read(400, b'{"Type": "QueryParseException", "Message": "No property"}'))
    assert not isinstance(caught.value, Refused)


def test_a_bad_request_that_is_not_json_is_shown_in_short() -> None:
    """Long pages are cut."""
    with pytest.raises(FinalError, match=r"^.{1,300}$"):
        json_of(_write(400, b"x" * 5000))


def test_a_reused_key_is_our_own_fault() -> None:
    """The sentence is searched in the whole body: its envelope is not documented."""
    body = b'"Idempotency Key: abc is used with a different request."'
    with pytest.raises(FinalError, match="fault of Daybook"):
        json_of(_write(400, body))


def test_a_rejected_token_asks_to_connect_again() -> None:
    """By the time this is read the token was renewed once already."""
    body = b'{"Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"}'
    with pytest.raises(ReconnectNeeded, match="connect Xero again"):
        json_of(_read(401, body))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"WWW-Authenticate": "insufficient_scope"}, b""),
        ({}, b'{"Detail": "AuthorizationUnsuccessful"}'),
        ({}, b'{"detail": "AuthorizationUnsuccessful"}'),
    ],
)
def test_a_missing_scope_is_not_a_dead_connection(headers: dict[str, str], body: bytes) -> None:
    """A new token would not help: the sentence names the permission."""
    with pytest.raises(FinalError, match="scope") as caught:
        json_of(_read(401, body, headers))
    assert not isinstance(caught.value, ReconnectNeeded)


def test_a_forbidden_organisation_asks_to_connect_it_again() -> None:
    """403 means that the organisation was disconnected or the right was lost."""
    with pytest.raises(ReconnectNeeded, match="Connect the organisation again"):
        json_of(_write(403, b'{"Title": "Forbidden", "Detail": "AuthenticationUnsuccessful"}'))


def test_a_limit_says_which_and_how_long() -> None:
    """The empty 429 body does not matter; its headers do."""
    headers = {"Retry-After": "66975", "X-Rate-Limit-Problem": "day"}
    with pytest.raises(RateLimited) as caught:
        json_of(_write(429, b"", headers))
    assert ("day", 66975) == (caught.value.problem, caught.value.retry_after_seconds)


@pytest.mark.parametrize("status", [301, 404, 405, 412, 413, 501])
def test_what_will_not_change_is_final(status: int) -> None:
    """Asking again would get the same answer, for writes too."""
    with pytest.raises(FinalError, match=str(status)):
        json_of(_write(status, b"The resource you're looking for cannot be found"))


def test_no_content_is_an_empty_success() -> None:
    """Deletions answer 204."""
    assert {} == json_of(_write(204))


def test_warnings_are_apart_from_errors() -> None:
    """A warning was saved all the same."""
    element = {"Warnings": [{"Message": "Only AUTHORISED invoices ..."}], "ValidationErrors": []}
    assert ((), ("Only AUTHORISED invoices ...",)) == messages_of(element)


def test_messages_are_found_wherever_they_hang() -> None:
    """A refusal may hang on a line or on the document that a payment pays; each is said once."""
    element = {
        "Amount": 1,
        "Invoice": {
            "LineItems": [
                {"Tracking": [], "ValidationErrors": [{"Message": "third"}]},
                {"Description": "Food", "ValidationErrors": [{"Message": "fourth"}]},
            ],
            "ValidationErrors": [],
        },
        "Account": {"ValidationErrors": [{"Description": "second"}, {"Message": "first"}]},
        "ValidationErrors": [{"Message": "first"}, {"Message": ""}],
    }
    assert ("first", "second", "third", "fourth") == validation_messages(element)
    assert ("first", "second", "third", "fourth") == validation_messages([element, element])


def test_a_reply_shows_neither_headers_nor_body() -> None:
    """What is logged by accident carries no secret and no customer's name."""
    assert "secret" not in repr(_write(200, b"secret", {"X": "secret"}))
