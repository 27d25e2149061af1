"""Tax rates: which percentage, for which classes of accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from daybook.sandbox import batch, listing, records, validation, wire
from daybook.sandbox.accounts import refuse_many
from daybook.sandbox.query import Schema
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from daybook.sandbox.books import Books
    from daybook.sandbox.records import TaxRate
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

CLASSES = {
    "CanApplyToAssets": "ASSET",
    "CanApplyToEquity": "EQUITY",
    "CanApplyToExpenses": "EXPENSE",
    "CanApplyToLiabilities": "LIABILITY",
    "CanApplyToRevenue": "REVENUE",
}
SHAPE = batch.Shape("TaxRates", "TaxRate", "TaxType", has_zero_id=False)
COMPONENT_FIELDS = wire.Fields(
    Name=wire.text, Rate=wire.decimal, IsCompound=wire.boolean, IsNonRecoverable=wire.boolean
)
FIELDS = wire.Fields(
    Name=wire.text,
    TaxType=wire.text,
    Status=wire.choice("TaxRateStatus", "ACTIVE", "DELETED", "ARCHIVED"),
    ReportTaxType=wire.text,
    TaxComponents=wire.many(COMPONENT_FIELDS),
    EffectiveRate=wire.decimal,
    **dict.fromkeys(CLASSES, wire.boolean),
)

# Routes


def list_tax_rates(call: Call) -> Reply:
    """GET /TaxRates, optionally `?TaxType=`."""
    found = listing.select(call, call.books.tax_rates, LISTING)
    wanted = call.query.get("taxtype")
    rows = [row for row in found.rows if wanted is None or row.id == wanted]
    return call.reply(TaxRates=[tax_rate_json(row) for row in rows])


def get_tax_rate(call: Call) -> Reply:
    """GET /TaxRates/{TaxType}."""
    found = call.books.tax_rates.get(call.ids[0])
    if found is None:
        raise NotFound
    return call.reply(TaxRates=[tax_rate_json(found)])


def put_tax_rate(call: Call) -> Reply:
    """PUT /TaxRates: exactly one; it gets the next free TAX001, TAX002 ..."""
    refuse_many(call, "TaxRates", "TaxRate")
    return batch.run(
        call, SHAPE, FIELDS, lambda given: tax_rate_json(create_tax_rate(call.books, given))
    )


def post_tax_rate(call: Call) -> Reply:
    """POST /TaxRates: change name, status or components of the rate with this TaxType or Name."""
    refuse_many(call, "TaxRates", "TaxRate")

    def apply(given: Json) -> Json:
        known = call.books.tax_rates.get(given.get("TaxType", "")) or next(
            (row for row in call.books.tax_rates if row.name == given.get("Name")), None
        )
        if known is None:
            return tax_rate_json(create_tax_rate(call.books, given))
        changed = records.TaxRate(
            id=known.id,
            name=given.get("Name", known.name),
            components=_components(given) or known.components,
            applies_to=known.applies_to,
            status=given.get("Status", known.status),
            report_tax_type=given.get("ReportTaxType", known.report_tax_type),
        )
        changed.rate = effective_rate(changed.components)
        call.books.tax_rates.put(changed)
        return tax_rate_json(changed)

    return batch.run(call, SHAPE, FIELDS, apply)


# Rules


def create_tax_rate(books: Books, given: Json, tax_type: str = "") -> TaxRate:
    """Store a new rate under its own or the next custom TaxType.

    Raises:
        Invalid: no name, a name that is taken, no components.
    """
    name = given.get("Name", "")
    if not name or any(row.name == name and row.status == "ACTIVE" for row in books.tax_rates):
        raise Invalid(validation.TRACKING_NAME_TAKEN)
    components = _components(given)
    if not components:
        raise Invalid(validation.TAX_RATE_COMPONENTS)
    number = 1
    while not tax_type and f"TAX{number:03d}" in books.tax_rates.rows:
        number += 1
    applies = [value for flag, value in CLASSES.items() if given.get(flag, True)]
    rate = records.TaxRate(
        id=tax_type or f"TAX{number:03d}",
        name=name,
        components=components,
        applies_to=applies,
        report_tax_type=given.get("ReportTaxType", ""),
        rate=effective_rate(components),
    )
    books.tax_rates.put(rate)
    return rate


def _components(given: Json) -> list[records.TaxComponent]:
    """Return the components sent; an EffectiveRate alone counts as one of the rate's name."""
    if "TaxComponents" not in given and "EffectiveRate" in given:
        return [records.TaxComponent(name=given.get("Name", "Tax"), rate=given["EffectiveRate"])]
    return [
        records.TaxComponent(
            name=component.get("Name", ""),
            rate=component.get("Rate", Decimal(0)),
            is_compound=component.get("IsCompound", False),
            is_non_recoverable=component.get("IsNonRecoverable", False),
        )
        for component in given.get("TaxComponents", [])
    ]


def effective_rate(components: list[records.TaxComponent]) -> Decimal:
    """Add up percentages; a compound component is charged on the sum of the others too."""
    plain = sum((part.rate for part in components if not part.is_compound), Decimal(0))
    total = plain
    for part in components:
        if part.is_compound:
            total += part.rate * (1 + plain / 100)
    return wire.round4(total)


# Wire form


def tax_rate_json(rate: TaxRate) -> Json:
    """Return a tax rate."""
    element: Json = {
        "Name": rate.name,
        "TaxType": rate.id,
    }
    if rate.report_tax_type:
        element["ReportTaxType"] = rate.report_tax_type
    for flag, account_class in CLASSES.items():
        element[flag] = account_class in rate.applies_to
    element["DisplayTaxRate"] = wire.round4(rate.rate)
    element["EffectiveRate"] = wire.round4(rate.rate)
    element["Status"] = rate.status
    element["TaxComponents"] = [
        {
            "Name": part.name,
            "Rate": wire.round4(part.rate),
            "IsCompound": part.is_compound,
            "IsNonRecoverable": part.is_non_recoverable,
        }
        for part in rate.components
    ]
    return element


LISTING: listing.Listing[TaxRate] = listing.Listing(
    Schema(
        {
            "name": lambda row: row.name,
            "taxtype": lambda row: row.id,
            "status": lambda row: row.status,
            "effectiverate": lambda row: row.rate,
        },
        frozenset(),
    )
)

_SCOPE = "accounting.settings"
ROUTES = (
    Route("GET", "/TaxRates", _SCOPE, list_tax_rates),
    Route("GET", "/TaxRates/{TaxType}", _SCOPE, get_tax_rate),
    Route("PUT", "/TaxRates", _SCOPE, put_tax_rate),
    Route("POST", "/TaxRates", _SCOPE, post_tax_rate),
)
