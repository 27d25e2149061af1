"""Xero's JSON: envelope, `/Date()/`, fixed decimals on the way out; tolerant, typed reading on the way in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from daybook.sandbox.validation import NoDataProcessed, PostDataInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]
"""A JSON object of the wire, or its typed reading; which fields it has is Xero's to say."""
Reader = "Callable[[object, str], object]"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
CENT = Decimal("0.01")
FOUR_PLACES = Decimal("0.0001")
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
encode = _encoder.encode

_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_ISO_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}(T.*)?$")


@lru_cache(maxsize=4096)
def instant(moment: datetime, *, offset: bool = True) -> msgspec.Raw:
    """Render a moment as Xero does, slashes escaped; `offset=False` for envelopes and creation times."""
    milliseconds = (moment - EPOCH) // MILLISECOND
    return msgspec.Raw(rf'"\/Date({milliseconds}{"+0000" if offset else ""})\/"'.encode())


@lru_cache(maxsize=4096)
def day(value: date) -> msgspec.Raw:
    """Render a calendar date: midnight UTC."""
    return instant(datetime.combine(value, time(), tzinfo=UTC))


@lru_cache(maxsize=4096)
def day_text(value: date) -> str:
    """Render the companion `DateString`."""
    return f"{value.isoformat()}T00:00:00"


@lru_cache(maxsize=4096)
def instant_text(moment: datetime) -> str:
    """Render the companion `UpdatedDateUTCString`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(
    correlation_id: str, app_name: str, now: datetime, content: Mapping[str, object]
) -> bytes:
    """Wrap content as every successful reply is wrapped."""
    return encode(
        {
            "Id": correlation_id,
            "Status": "OK",
            "ProviderName": app_name,
            "DateTimeUTC": instant(now, offset=False),
            **content,
        }
    )


def decode(body: bytes, noun: str) -> object:
    """Parse a JSON body with exact decimals; refuse an empty or unreadable one as Xero does."""
    if not body.strip():
        raise NoDataProcessed(noun)
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, InvalidOperation) as error:
        raise PostDataInvalid(f"The request body is not valid JSON: {error}") from None


def elements(body: bytes, plural: str, noun: str) -> list[Json]:
    """Return the elements of `{"Invoices": [...]}`, of a bare object, or of a bare array."""
    found = decode(body, noun)
    if isinstance(found, dict):
        for key, value in found.items():
            if key.lower() == plural.lower():
                found = value
                break
        else:
            found = [] if _is_foreign_envelope(found) else [found]
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not found:
        raise NoDataProcessed(noun)
    for element in found:
        if not isinstance(element, dict):
            raise PostDataInvalid(f"Error converting value to type '{noun}'. Path '{plural}'.")
    return found


def _is_foreign_envelope(found: Json) -> bool:
    """Tell `{"Bills": [{...}]}` (a wrong root) from a bare element."""
    return len(found) <= 1 and all(isinstance(value, list) for value in found.values())


def text(value: object, path: str) -> str:
    """Read text; numbers and booleans are taken by their JSON spelling."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    raise PostDataInvalid(f"Unexpected value when reading text. Path '{path}'.")


def decimal(value: object, path: str) -> Decimal:
    """Read a number, sent as a number or as numeric text."""
    try:
        if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite():
                return number
    except InvalidOperation:
        pass
    raise PostDataInvalid(f"Could not convert value to decimal: {value}. Path '{path}'.")


def calendar_date(value: object, path: str) -> date | None:
    """Read `YYYY-MM-DD`, an ISO datetime (its date counts) or `/Date(ms)/`; empty text is no date."""
    if value == "":
        return None
    if isinstance(value, str):
        milliseconds = _MS_DATE.match(value)
        try:
            if milliseconds:
                return (EPOCH + int(milliseconds[1]) * MILLISECOND).date()
            if _ISO_DATE.match(value):
                return date.fromisoformat(value[:10])
        except (ValueError, OverflowError):
            pass
    raise PostDataInvalid(f"The string '{value}' is not a valid AllXsd value. Path '{path}'.")


def boolean(value: object, path: str) -> bool:
    """Read true, false and their text forms."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise PostDataInvalid(f"Could not convert value to boolean: {value}. Path '{path}'.")


def choice(kind: str, *names: str) -> Callable[[object, str], str]:
    """Read one of an enum's names, exactly spelt."""

    def read(value: object, path: str) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise PostDataInvalid(
            f"Error converting value \"{value}\" to type '{kind}'. Path '{path}'."
        )

    return read


def one(fields: Fields) -> Callable[[object, str], Json]:
    """Read a nested object."""

    def read(value: object, path: str) -> Json:
        if not isinstance(value, dict):
            raise PostDataInvalid(f"Cannot read the value as an object. Path '{path}'.")
        return fields.read(value, path)

    return read


def many(fields: Fields) -> Callable[[object, str], list[Json]]:
    """Read an array of nested objects."""

    def read(value: object, path: str) -> list[Json]:
        if not isinstance(value, list):
            raise PostDataInvalid("Object reference not set to an instance of an object.")
        read_one = one(fields)
        return [read_one(item, f"{path}[{index}]") for index, item in enumerate(value)]

    return read


class Fields:
    """The fields an element may carry and how each is read; others are ignored, as Xero ignores them."""

    def __init__(self, **readers: Callable[[object, str], object]) -> None:
        """Name the fields in Xero's spelling."""
        self._readers = readers
        self._names = {name.lower(): name for name in readers}

    def read(self, element: Json, path: str = "") -> Json:
        """Return the fields that are present and not null, typed; names match case-insensitively."""
        found: Json = {}
        readers = self._readers
        for key, value in element.items():
            name = key if key in readers else self._names.get(key.lower())
            if name is not None and value is not None:
                found[name] = readers[name](value, f"{path}.{name}")
        return found


def echo(value: object) -> object:
    """Return typed input in the form of the wire, for elements that are handed back refused."""
    if isinstance(value, date):
        return day(value)
    if isinstance(value, dict):
        return {key: echo(item) for key, item in value.items()}
    if isinstance(value, list):
        return [echo(item) for item in value]
    return value


def round2(amount: Decimal) -> Decimal:
    """Round half away from zero to cents."""
    return amount.quantize(CENT, "ROUND_HALF_UP")


def round4(amount: Decimal) -> Decimal:
    """Round half away from zero to four places."""
    return amount.quantize(FOUR_PLACES, "ROUND_HALF_UP")
