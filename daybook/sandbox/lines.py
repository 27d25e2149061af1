"""Line items of invoices, credit notes and bank transactions: rules, amounts and wire form."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import calculation, records, validation, wire

if TYPE_CHECKING:
    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Account, Line
    from daybook.sandbox.routing import Call
    from daybook.sandbox.wire import Json

ZERO = records.ZERO
MAX_TRACKING = 2
MAX_DESCRIPTION = 4000
MAX_LINE_AMOUNT = Decimal("9999999999.99")
CONTROL_ACCOUNTS = frozenset({"DEBTORS", "CREDITORS"})

TRACKING_FIELDS = wire.Fields(
    Name=wire.text, Option=wire.text, TrackingCategoryID=wire.text, TrackingOptionID=wire.text
)
FIELDS = wire.Fields(
    LineItemID=wire.text,
    Description=wire.text,
    Quantity=wire.decimal,
    UnitAmount=wire.decimal,
    LineAmount=wire.decimal,
    ItemCode=wire.text,
    AccountCode=wire.text,
    AccountID=wire.text,
    TaxType=wire.text,
    TaxAmount=wire.decimal,
    DiscountRate=wire.decimal,
    DiscountAmount=wire.decimal,
    Tracking=wire.many(TRACKING_FIELDS),
)
AMOUNT_FIELDS = frozenset(
    {"Quantity", "UnitAmount", "LineAmount", "DiscountRate", "DiscountAmount"}
)


class LineRules(msgspec.Struct, frozen=True):
    """What differs between the documents a line can stand on."""

    line_amount_types: str
    is_complete: bool
    has_discounts: bool = False
    is_bank: bool = False


def build_lines(
    call: Call, given: list[Json], rules: LineRules, before: list[Line], messages: list[str]
) -> list[Line]:
    """Return the lines a document will have; what is wrong is added to `messages`.

    A LineItemID updates that line, none makes a new one, and lines not sent are gone.
    """
    known = {line.id: line for line in before}
    lines = []
    for fields in given:
        line_id = fields.get("LineItemID", "")
        previous = known.get(line_id)
        if line_id and previous is None and before:
            messages.append(validation.LINE_ITEM_UNKNOWN)
            continue
        merged = {**_kept(call.books, previous, fields), **fields} if previous else fields
        lines.append(_build(call, merged, rules, messages))
    return lines


def _kept(books: Books, line: Line, changes: Json) -> Json:
    """Return the fields of an existing line that an update leaves alone."""
    kept: Json = {
        "Description": line.description,
        "AccountID": line.account_id,
        "TaxType": line.tax_type,
        "Tracking": [
            {"TrackingCategoryID": category, "TrackingOptionID": option}
            for category, option in line.tracking
        ],
    }
    if "AccountCode" in changes:
        del kept["AccountID"]
    if not line.account_id or books.accounts.get(line.account_id) is None:
        kept.pop("AccountID", None)
    if not AMOUNT_FIELDS & changes.keys():
        kept |= {"Quantity": line.quantity, "UnitAmount": line.unit_amount}
        kept |= {"TaxAmount": line.tax_amount, "DiscountRate": line.discount_rate}
        kept |= {"DiscountAmount": line.discount_amount}
        if line.quantity is None:
            del kept["Quantity"], kept["UnitAmount"]
    return {name: value for name, value in kept.items() if value is not None}


def _build(call: Call, given: Json, rules: LineRules, messages: list[str]) -> Line:
    """Check and compute one line."""
    amounts = _amounts(given, rules, call.unit_places, messages)
    is_text_only = amounts.quantity is None
    _check_texts(given, rules, messages, is_text_only=is_text_only)
    account = _account(call.books, given, rules, messages, is_text_only=is_text_only)
    tax_type = given.get("TaxType") or (account.tax_type if account else "")
    rate = _tax_rate(call.books, tax_type, account, rules, messages)
    tax_amount = _tax_amount(given, amounts.line_amount, rate, rules, messages)
    return records.Line(
        id=given.get("LineItemID") or call.new_id(),
        description=given.get("Description", ""),
        quantity=amounts.quantity,
        unit_amount=amounts.unit_amount,
        line_amount=amounts.line_amount,
        tax_amount=tax_amount,
        tax_type=tax_type or ("" if is_text_only else "NONE"),
        account_id=account.id if account else "",
        item_code=given.get("ItemCode", ""),
        discount_rate=given.get("DiscountRate"),
        discount_amount=given.get("DiscountAmount"),
        tracking=_tracking(call.books, given.get("Tracking", []), messages),
    )


def _amounts(
    given: Json, rules: LineRules, places: int, messages: list[str]
) -> calculation.Amounts:
    """Compute the amounts; a LineAmount sent along must agree with Quantity x UnitAmount."""
    sent_total = given.get("LineAmount")
    amounts = calculation.fill_amounts(
        given.get("Quantity"), given.get("UnitAmount"), sent_total, places
    )
    rate, discount = given.get("DiscountRate"), given.get("DiscountAmount")
    if not rules.has_discounts and (rate or discount):
        messages.append(validation.NO_DISCOUNT_HERE)
    if (rate or discount) and amounts.quantity is not None:
        gross = amounts.quantity * amounts.unit_amount
        if (rate or ZERO) > calculation.HUNDRED or (discount or ZERO) > abs(gross):
            messages.append(validation.discount_too_big(rate or discount or ZERO))
    if amounts.quantity is None:
        return amounts
    total = amounts.line_amount
    if given.get("UnitAmount") is not None:
        if rate is not None or discount is not None:
            total = calculation.expected_line_amount(
                amounts.quantity, amounts.unit_amount, rate, discount
            )
        if sent_total is not None and wire.round2(sent_total) != total:
            messages.append(validation.line_total_differs(wire.round2(sent_total), total))
    if abs(total) > MAX_LINE_AMOUNT:
        messages.append(validation.LINE_TOO_LARGE)
    return calculation.Amounts(amounts.quantity, amounts.unit_amount, total)


def _check_texts(given: Json, rules: LineRules, messages: list[str], *, is_text_only: bool) -> None:
    """Check description, item and the stricter figures of bank transactions."""
    description = given.get("Description", "")
    if (rules.is_complete and not description.strip()) or len(description) > MAX_DESCRIPTION:
        messages.append(validation.NO_DESCRIPTION)
    if given.get("ItemCode"):
        messages.append(validation.item_unknown(given["ItemCode"]))
    if rules.is_bank and not is_text_only:
        if given.get("Quantity", calculation.ONE) <= 0:
            messages.append(validation.BANK_QUANTITY)
        if "UnitAmount" in given and given["UnitAmount"] == 0:
            messages.append(validation.BANK_UNIT_AMOUNT)


def find_account(books: Books, given: Json) -> Account | None:
    """Return the account named by id or code; an active one wins over an archived one."""
    if given.get("AccountID"):
        return books.accounts.get(given["AccountID"].lower())
    code = given.get("AccountCode") or given.get("Code")
    found = books.accounts.find("code", code) if code else []
    for row in found:
        if row.status == "ACTIVE":
            return row
    return found[0] if found else None


def _account(
    books: Books, given: Json, rules: LineRules, messages: list[str], *, is_text_only: bool
) -> Account | None:
    """Return the line's account if it may be used on a document."""
    name = given.get("AccountCode") or given.get("AccountID")
    if not name:
        if rules.is_complete and not is_text_only:
            messages.append(validation.NO_ACCOUNT_CODE)
        return None
    account = find_account(books, given)
    if account is None or account.type == "BANK" or account.system_account in CONTROL_ACCOUNTS:
        messages.append(validation.account_not_valid(name))
        return None
    if account.status != "ACTIVE":
        messages.append(validation.account_archived(name))
    return account


CLASS_OF_TYPE = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}


def _tax_rate(
    books: Books, tax_type: str, account: Account | None, rules: LineRules, messages: list[str]
) -> Decimal:
    """Return the effective rate in percent, after checking that the account may carry it."""
    if not tax_type:
        return ZERO
    rate = books.tax_rates.get(tax_type)
    if rate is None:
        messages.append(validation.tax_type_unknown(tax_type))
        return ZERO
    if rate.status != "ACTIVE":
        messages.append(validation.TAX_RATE_INACTIVE)
    if account and CLASS_OF_TYPE[account.type] not in rate.applies_to:
        messages.append(validation.tax_not_for_account(tax_type, account.code))
    return ZERO if rules.line_amount_types == "NoTax" else rate.rate


def _tax_amount(
    given: Json, line_amount: Decimal, rate: Decimal, rules: LineRules, messages: list[str]
) -> Decimal:
    """Take the caller's tax on invoices, insist on the computed one on bank transactions."""
    sent = given.get("TaxAmount")
    if sent is None or rules.line_amount_types == "NoTax":
        return calculation.line_tax(line_amount, rate, rules.line_amount_types)
    sent = wire.round2(sent)
    if rules.is_bank:
        computed = calculation.line_tax(line_amount, rate, rules.line_amount_types)
        if sent != computed:
            messages.append(validation.tax_total_differs(sent, computed))
        return computed
    if abs(sent) > abs(line_amount):
        messages.append(validation.TAX_ABOVE_LINE)
    return sent


def _tracking(books: Books, given: list[Json], messages: list[str]) -> list[tuple[str, str]]:
    """Return (category id, option id) of active categories and options."""
    if len(given) > MAX_TRACKING:
        messages.append(validation.TOO_MANY_TRACKING)
    found = []
    for entry in given:
        pair = _tracking_option(books, entry)
        if pair is None:
            name = entry.get("Option") or entry.get("TrackingOptionID") or entry.get("Name", "")
            messages.append(validation.tracking_unknown(name))
        else:
            found.append(pair)
    return found


def _tracking_option(books: Books, entry: Json) -> tuple[str, str] | None:
    """Find one option by ids or by names, in active categories only."""
    category_id, option_id = entry.get("TrackingCategoryID"), entry.get("TrackingOptionID")
    wanted_name = entry.get("Name", "").lower()
    for category in books.tracking_categories:
        if category.status != "ACTIVE":
            continue
        if category.id != category_id and (category_id or category.name.lower() != wanted_name):
            continue
        option = (
            books.option_by_id(category, option_id)
            if option_id
            else books.option_by_name(category, entry.get("Option", ""))
        )
        if option is not None and option.status == "ACTIVE":
            return category.id, option.id
    return None


def line_json(books: Books, line: Line, places: int, *, is_write: bool) -> Json:
    """Return a line in Xero's form; replies to writes carry an empty ValidationErrors."""
    element: Json = {"Description": line.description}
    if line.item_code:
        element["ItemCode"] = line.item_code
    element["UnitAmount"] = calculation.round_unit(line.unit_amount, places)
    element["TaxType"] = line.tax_type
    element["TaxAmount"] = line.tax_amount
    element["LineAmount"] = line.line_amount
    account = books.accounts.get(line.account_id) if line.account_id else None
    if account is not None:
        element["AccountCode"] = account.code
        element["AccountID"] = account.id
    element["Tracking"] = [_tracking_json(books, *pair) for pair in line.tracking]
    if line.quantity is not None:
        element["Quantity"] = line.quantity
    element["LineItemID"] = line.id
    if line.discount_rate is not None:
        element["DiscountRate"] = wire.round2(line.discount_rate)
    if line.discount_amount is not None:
        element["DiscountAmount"] = wire.round2(line.discount_amount)
    if is_write:
        element["ValidationErrors"] = []
    return element


def _tracking_json(books: Books, category_id: str, option_id: str) -> Json:
    """Return a tracking entry with names and ids."""
    category = books.tracking_categories.rows[category_id]
    option = books.option_by_id(category, option_id)
    return {
        "Name": category.name,
        "Option": option.name if option else "",
        "TrackingCategoryID": category_id,
        "TrackingOptionID": option_id,
    }
