"""A reply of Xero becomes its JSON or a typed error. Pure: status first, content type never.

The error of a write says what is known of it: `Unavailable` and `RateLimited` mean that nothing was
done, `UnknownOutcome` that it may have been, a `FinalError` that Xero refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from daybook.errors import (
    FinalError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    Unavailable,
    UnknownOutcome,
)
from daybook.wording import counted
from daybook.xero.limits import read_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daybook.errors import DaybookError

# Any: the wire's own nesting; `daybook.xero.wire` turns it into values.
Json: TypeAlias = dict[str, Any]
JsonAny: TypeAlias = Any

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_EXCERPT_LENGTH_MAX: Final = 200
_NESTING: Final = (dict, list)
_KEY_REUSED: Final = "is used with a different request"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply and what it answers: `call` is for sentences, such as "PUT /Invoices"."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    call: str
    was_write: bool


def decode(body: bytes) -> JsonAny:
    """Parse JSON with exact numbers: Decimal for everything with a point, never a float.

    Raises:
        ValueError: the body is not JSON.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None


def json_of(reply: Reply) -> Json:
    """Return the reply's JSON object, or raise the error that says what happened.

    Raises:
        Unavailable, RateLimited: nothing was done.
        UnknownOutcome: a write may have been done.
        Refused, ReconnectNeeded, FinalError: Xero refused, and would refuse again.
    """
    if reply.status == HTTPStatus.OK:
        return _object(reply)
    if reply.status == HTTPStatus.NO_CONTENT:
        return {}
    raise error_of(reply)


def error_of(reply: Reply) -> DaybookError:
    """Return the typed error of a reply that is not a success."""
    known: dict[int, Callable[[Reply], DaybookError]] = {
        HTTPStatus.BAD_REQUEST: _bad_request,
        HTTPStatus.UNAUTHORIZED: _unauthorised,
        HTTPStatus.FORBIDDEN: _forbidden,
        HTTPStatus.REQUEST_TIMEOUT: _server_failed,
        HTTPStatus.TOO_MANY_REQUESTS: _rate_limited,
        HTTPStatus.NOT_IMPLEMENTED: _otherwise,
    }
    is_server_error = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    default = _server_failed if is_server_error else _otherwise
    return known.get(reply.status, default)(reply)


def messages_of(element: JsonAny) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Collect Xero's errors and its warnings, the outer ones first, each once.

    They hang on an element or on anything in it. All of every reply is searched, and nearly all of
    it is plain values: those are passed over without a call.
    """
    errors: list[str] = []
    warnings: list[str] = []
    parts = [element] if isinstance(element, _NESTING) else []
    for part in parts:  # grows while it is read
        inside = part.values() if isinstance(part, dict) else part
        if isinstance(part, dict):
            errors += _messages(part.get("ValidationErrors"))
            warnings += _messages(part.get("Warnings"))
        parts += [value for value in inside if isinstance(value, _NESTING) and value]
    return tuple(dict.fromkeys(errors)), tuple(dict.fromkeys(warnings))


def validation_messages(element: JsonAny) -> tuple[str, ...]:
    """Collect Xero's validation messages of an element, nested ones too."""
    return messages_of(element)[0]


def is_scope_problem(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell a 401 for a missing permission, which no new token cures, from one for the token."""
    if status != HTTPStatus.UNAUTHORIZED:
        return False
    challenge = {name.lower(): value for name, value in headers.items()}.get("www-authenticate", "")
    return "insufficient_scope" in challenge or "AuthorizationUnsuccessful" in _detail(body)


def _object(reply: Reply) -> Json:
    """Parse a 200; the body of a write that cannot be read leaves its outcome unknown."""
    try:
        content = decode(reply.body)
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content
    if reply.was_write:
        return _raise(
            UnknownOutcome(
                f"Xero's reply to {reply.call} cannot be read, so it is not known whether it was "
                "done; Daybook looks it up before it goes on."
            )
        )
    return _raise(Unavailable(f"Xero's reply to {reply.call} cannot be read; try again."))


def _raise(error: DaybookError) -> Json:
    raise error


def _bad_request(reply: Reply) -> DaybookError:
    if _KEY_REUSED in reply.body.decode("utf-8", "replace"):
        return FinalError(
            f"Xero saw the idempotency key of {reply.call} before, with another request; "
            "nothing was done. This is a fault of Daybook: report it."
        )
    content = _json_or_none(reply.body)
    if messages := validation_messages(content):
        return Refused(f"Xero refused {reply.call}: {' '.join(messages)}", messages)
    words = _message(content) or _excerpt(reply.body)
    sentence = f"Xero refused {reply.call}: {words}"
    return Refused(sentence, (words,)) if reply.was_write else FinalError(sentence)


def _unauthorised(reply: Reply) -> DaybookError:
    if is_scope_problem(reply.status, reply.headers, reply.body):
        return FinalError(
            f"The connection to Xero lacks the permission (scope) for {reply.call}; "
            "connect Xero again and grant everything that Daybook asks for."
        )
    return ReconnectNeeded(
        f"Xero does not accept Daybook's access any more ({reply.call}); connect Xero again."
    )


def _forbidden(reply: Reply) -> ReconnectNeeded:
    return ReconnectNeeded(
        f"Xero does not let Daybook into this organisation ({reply.call}): it was disconnected, or "
        "the person who connected it lost the right. Connect the organisation again."
    )


def _otherwise(reply: Reply) -> FinalError:
    return FinalError(f"Xero answered {reply.call} with {reply.status}: {_excerpt(reply.body)}")


def _rate_limited(reply: Reply) -> RateLimited:
    seen = read_limits(reply.status, reply.headers)
    assert seen.problem is not None
    names = {
        "concurrent": "number of calls at once",
        "minute": "calls a minute",
        "day": "calls a day",
        "appminute": "calls a minute of the whole app",
    }
    wait_seconds = seen.retry_after_seconds
    wait = counted(wait_seconds or 1, "second")
    return RateLimited(
        f"Xero's limit on the {names[seen.problem]} is used up; go on in {wait}.",
        seen.problem,
        wait_seconds,
    )


def _server_failed(reply: Reply) -> DaybookError:
    if reply.was_write:
        return UnknownOutcome(
            f"Xero failed ({reply.status}) on {reply.call}, so it is not known whether it was "
            "done; Daybook looks it up before it goes on."
        )
    return Unavailable(f"Xero does not answer at the moment ({reply.status} on {reply.call}).")


def _messages(problems: JsonAny) -> list[str]:
    if not problems or not isinstance(problems, list):
        return []
    return [message for message in map(_message, problems) if message]


def _message(item: JsonAny) -> str:
    """Read a message; Xero's own sample once calls the field Description."""
    if not isinstance(item, dict):
        return ""
    return str(item.get("Message") or item.get("Description") or "").strip()


def _json_or_none(body: bytes) -> JsonAny:
    try:
        return decode(body)
    except ValueError:
        return None


def _detail(body: bytes) -> str:
    """Read `Detail` of an authentication error, whose keys come in either case."""
    content = _json_or_none(body)
    if not isinstance(content, dict):
        return ""
    return str({key.lower(): value for key, value in content.items()}.get("detail") or "")


def _excerpt(body: bytes) -> str:
    text = " ".join(body.decode("utf-8", "replace").split())
    return text[:_EXCERPT_LENGTH_MAX] or "(an empty reply)"
