"""Currencies an organisation subscribes to, and the day rate of a document that names none."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from daybook.sandbox import batch, records, validation, wire
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid

if TYPE_CHECKING:
    from daybook.sandbox.books import Books
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = batch.Shape("Currencies", "Currency", "Code", has_zero_id=False)
FIELDS = wire.Fields(Code=wire.text, Description=wire.text)
SINGLE_CURRENCY_PLANS = frozenset({"STARTER", "STANDARD", "IGNITE", "GROW", "SIMPLE"})
# Name, and units of it that one US dollar buys: fixed, since real day rates are not simulated.
KNOWN = {
    "AUD": ("Australian Dollar", Decimal("1.50")),
    "CAD": ("Canadian Dollar", Decimal("1.36")),
    "CHF": ("Swiss Franc", Decimal("0.90")),
    "CNY": ("Chinese Yuan", Decimal("7.20")),
    "EUR": ("Euro", Decimal("0.92")),
    "GBP": ("British Pound", Decimal("0.79")),
    "HKD": ("Hong Kong Dollar", Decimal("7.80")),
    "INR": ("Indian Rupee", Decimal("83.00")),
    "JPY": ("Japanese Yen", Decimal("150.00")),
    "MYR": ("Malaysian Ringgit", Decimal("4.40")),
    "NZD": ("New Zealand Dollar", Decimal("1.65")),
    "PHP": ("Philippine Peso", Decimal("56.00")),
    "SGD": ("Singapore Dollar", Decimal("1.34")),
    "THB": ("Thai Baht", Decimal("35.00")),
    "USD": ("United States Dollar", Decimal("1.00")),
    "ZAR": ("South African Rand", Decimal("18.50")),
}


def list_currencies(call: Call) -> Reply:
    """GET /Currencies."""
    return call.reply(Currencies=[_json(row) for row in call.books.currencies])


def put_currency(call: Call) -> Reply:
    """PUT /Currencies: subscribe to one."""
    return batch.run(
        call, SHAPE, FIELDS, lambda given: _json(subscribe(call.books, given.get("Code", "")))
    )


def subscribe(books: Books, code: str) -> records.Currency:
    """Add a currency; again is harmless.

    Raises:
        Invalid: no such currency, or a plan with a single one.
    """
    code = code.upper()
    if code not in KNOWN:
        raise Invalid(validation.currency_unknown(code))
    organisation = books.organisation
    if code != organisation.currency and organisation.plan in SINGLE_CURRENCY_PLANS:
        raise Invalid(validation.CURRENCY_PLAN)
    currency = records.Currency(id=code, description=KNOWN[code][0])
    books.currencies.put(currency)
    return currency


def day_rate(base: str, code: str) -> Decimal:
    """Return units of `code` that one unit of `base` buys."""
    one = Decimal(1)
    return KNOWN.get(code, ("", one))[1] / KNOWN.get(base, ("", one))[1]


def _json(currency: records.Currency) -> Json:
    return {"Code": currency.id, "Description": currency.description}


_SCOPE = "accounting.settings"
ROUTES = (
    Route("GET", "/Currencies", _SCOPE, list_currencies),
    Route("PUT", "/Currencies", _SCOPE, put_currency),
)
