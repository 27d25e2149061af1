"""Xero's JSON: envelope, `/Date()/` and fixed decimals out; tolerant, typed reading in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from daybook.sandbox.validation import NoDataProcessed, PostDataInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]
"""A JSON object of the wire, or its typed reading; which fields it has is Xero's to say."""
Reader: TypeAlias = "Callable[[object], object]"
"""Turns a JSON value into a typed one or refuses it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
CENT = Decimal("0.01")
FOUR_PLACES = Decimal("0.0001")
MAX_DIGITS = 13
DAY_SECONDS = 86_400
DATE_LENGTH_KEPT = 40
"""Longer texts are read as dates, too, but not remembered: they may be as long as a body."""
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
encode = _encoder.encode

_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_ISO_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}(T.*)?$")


def instant(moment: datetime, *, offset: bool = True) -> msgspec.Raw:
    """Render a moment as Xero does, slashes escaped; no offset in envelopes and creation times.

    Moments hardly repeat, as days do: remembering them took longer than rendering them.
    """
    passed = moment - EPOCH
    milliseconds = (passed.days * DAY_SECONDS + passed.seconds) * 1000 + passed.microseconds // 1000
    shown = rb'"\/Date(%d+0000)\/"' if offset else rb'"\/Date(%d)\/"'
    return msgspec.Raw(shown % milliseconds)


@lru_cache(maxsize=4096)
def day(value: date) -> msgspec.Raw:
    """Render a calendar date: midnight UTC."""
    return instant(datetime.combine(value, time(), tzinfo=UTC))


@lru_cache(maxsize=4096)
def day_text(value: date) -> str:
    """Render the companion `DateString`."""
    return f"{value.isoformat()}T00:00:00"


def instant_text(moment: datetime) -> str:
    """Render the companion `UpdatedDateUTCString`."""
    return f"{moment.isoformat()[:19]}Z"


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
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, InvalidOperation) as error:
        if not body.strip():
            raise NoDataProcessed(noun) from None
        raise PostDataInvalid(f"The request body is not valid JSON: {error}") from None


def elements(body: bytes, plural: str, noun: str) -> list[object]:
    """Return the elements of `{"Invoices": [...]}`, of a bare object, or of a bare array."""
    found = decode(body, noun)
    if isinstance(found, dict):
        wanted = plural.lower()
        for key, value in found.items():
            if key.lower() == wanted:
                found = value
                break
        else:
            found = [] if _is_foreign_envelope(found) else [found]
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not found:
        raise NoDataProcessed(noun)
    return found


def _is_foreign_envelope(found: Json) -> bool:
    """Tell `{"Bills": [{...}]}` (a wrong root) from a bare element."""
    return len(found) <= 1 and all(isinstance(value, list) for value in found.values())


def text(value: object) -> str:
    """Read text; numbers and booleans are taken by their JSON spelling."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    raise PostDataInvalid("Unexpected value when reading text.")


def decimal(value: object) -> Decimal:
    """Read a number, sent as a number or as numeric text."""
    if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and number.adjusted() < MAX_DIGITS:
            return number
    raise PostDataInvalid(f"Could not convert value to decimal: {value}.")


def calendar_date(value: object) -> date | None:
    """Read `YYYY-MM-DD`, an ISO datetime (its date counts) or `/Date(ms)/`; empty is no date."""
    if value == "":
        return None
    found = None
    if isinstance(value, str):
        is_kept = len(value) <= DATE_LENGTH_KEPT
        found = _date_of(value) if is_kept else _date_of.__wrapped__(value)
    if found is None:
        raise PostDataInvalid(f"The string '{value}' is not a valid AllXsd value.")
    return found


@lru_cache(maxsize=4096)
def _date_of(written: str) -> date | None:
    """Return the date somebody wrote; nothing when it is none."""
    milliseconds = _MS_DATE.match(written)
    try:
        if milliseconds:
            return (EPOCH + int(milliseconds[1]) * MILLISECOND).date()
        if _ISO_DATE.match(written):
            return date.fromisoformat(written[:10])
    except (ValueError, OverflowError):
        pass
    return None


def boolean(value: object) -> bool:
    """Read true, false and their text forms."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise PostDataInvalid(f"Could not convert value to boolean: {value}.")


def choice(kind: str, *names: str) -> Reader:
    """Read one of an enum's names, exactly spelt."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise PostDataInvalid(f"Error converting value \"{value}\" to type '{kind}'.")

    return read


def one(fields: Fields) -> Callable[[object], Json]:
    """Read a nested object."""
    return fields.read


def many(fields: Fields) -> Reader:
    """Read an array of nested objects."""

    def read(value: object) -> list[Json]:
        if not isinstance(value, list):
            raise PostDataInvalid("Object reference not set to an instance of an object.")
        return fields.read_all(value)

    return read


class Fields:
    """The fields an element may carry and how each is read; others are ignored, as by Xero."""

    def __init__(self, **readers: Reader) -> None:
        """Name the fields in Xero's spelling."""
        self._readers = readers
        self._names = {name.lower(): name for name in readers}

    def read(self, element: object) -> Json:
        """Return the fields that are present and not null, typed; names match in any case.

        Raises:
            PostDataInvalid: this is no object, or a value cannot be read; it says where.
        """
        if not isinstance(element, dict):
            raise PostDataInvalid("Cannot read the value as an object.")
        found: Json = {}
        readers = self._readers
        name: str | None = None
        try:
            for key, value in element.items():
                name = key if key in readers else self._names.get(key.lower())
                if name is None or value is None:
                    continue
                reader = readers[name]
                # Most fields are text: what `text` would give back is taken without the call.
                is_text = reader is text and isinstance(value, str)
                found[name] = value if is_text else reader(value)
        except PostDataInvalid as problem:
            raise problem.inside(f".{name}") from None
        return found

    def read_all(self, elements: list[object]) -> list[Json]:
        """Read an array of elements.

        Raises:
            PostDataInvalid: a value cannot be read; it says where.
        """
        found: list[Json] = []
        try:
            for element in elements:
                found.append(self.read(element))  # noqa: PERF401 - its length is the place
        except PostDataInvalid as problem:
            raise problem.inside(f"[{len(found)}]") from None
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
