"""What invoices, credit notes and bank transactions share, from contact to totals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from daybook.sandbox import calculation, contacts, currencies, lines, records, validation, wire
from daybook.sandbox.validation import Invalid

if TYPE_CHECKING:
    from datetime import date, datetime

    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Contact, Document
    from daybook.sandbox.routing import Call
    from daybook.sandbox.wire import Json

SIX_PLACES = Decimal("0.000001")
BASE_RATE = Decimal("1.000000")
COMMON_FIELDS: dict[str, wire.Reader] = {
    "Contact": wire.one(contacts.FIELDS),
    "Date": wire.calendar_date,
    "Reference": wire.text,
    "LineAmountTypes": wire.choice("LineAmountType", "Exclusive", "Inclusive", "NoTax"),
    "LineItems": wire.many(lines.FIELDS),
    "CurrencyCode": wire.text,
    "CurrencyRate": wire.decimal,
    "Url": wire.text,
    "BrandingThemeID": wire.text,
    "SubTotal": wire.decimal,
    "TotalTax": wire.decimal,
    "Total": wire.decimal,
}


CARRIED = (
    "number",
    "reference",
    "due_date",
    "expected_payment_date",
    "planned_payment_date",
    "url",
    "branding_theme_id",
    "sent_to_contact",
    "bank_account_id",
    "is_reconciled",
    "paid",
    "credited",
    "payment_ids",
    "allocation_ids",
    "fully_paid_date",
    "has_attachments",
)
COMMON_TEXTS = {"Reference": "reference", "Url": "url", "BrandingThemeID": "branding_theme_id"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the kinds of documents when one is worked out.

    `texts` maps Xero's plain fields to ours, `COMMON_TEXTS` among them; in a `complete` status
    lines and accounts must be there.
    """

    default_status: str
    line_amount_types: str
    complete: frozenset[str]
    texts: dict[str, str]
    discount_types: frozenset[str] = frozenset()
    is_bank: bool = False


class Planned(msgspec.Struct, frozen=True):
    """A document as it would be stored, its contact, and what was found wrong."""

    document: Document
    contact: Contact | None
    messages: list[str]

    def checked(self) -> tuple[Document, Contact]:
        """Return document and contact.

        Raises:
            Invalid: something was found wrong.
        """
        validation.refuse_if(self.messages)
        if self.contact is None:
            raise Invalid(validation.NO_CONTACT)
        return self.document, self.contact


def plan(call: Call, given: Json, before: Document | None, kind: Kind) -> Planned:
    """Work out the document as it would be after a write; stores nothing."""
    messages: list[str] = []
    status = given.get("Status") or (before.status if before else kind.default_status)
    document_type = before.type if before else given.get("Type", "")
    types = given.get("LineAmountTypes") or (before or kind).line_amount_types
    contact = resolve_contact(call, given.get("Contact"), before, messages)
    currency, rate = resolve_currency(call, given, before, messages)
    check_url(given, messages)
    built = before.lines if before else []
    if "LineItems" in given:
        rules = lines.LineRules(
            types,
            is_complete=status in kind.complete,
            has_discounts=document_type in kind.discount_types,
            is_bank=kind.is_bank,
        )
        built = lines.build_lines(call, given["LineItems"], rules, built, messages)
    figures = calculation.totals([(line.line_amount, line.tax_amount) for line in built], types)
    document = records.Document(
        id=before.id if before else call.new_id(),
        type=document_type,
        status=status,
        contact_id=contact.id if contact else "",
        document_date=given.get("Date")
        or (before.document_date if before else today(call.books, call.now)),
        line_amount_types=types,
        currency=currency,
        currency_rate=rate,
        lines=built,
        sub_total=figures.sub_total,
        total_tax=figures.total_tax,
        total=figures.total,
        created_at=before.created_at if before else call.now,
        updated_at=call.now,
        client_id=before.client_id if before else call.client_id,
    )
    if before is not None:
        for name in CARRIED:
            setattr(document, name, getattr(before, name))
    for name in given.keys() & kind.texts.keys():
        setattr(document, kind.texts[name], given[name])
    messages.extend(_problems(call.books, document, before, kind))
    return Planned(document, contact, messages)


def _problems(books: Books, document: Document, before: Document | None, kind: Kind) -> list[str]:
    """Return what is wrong with any kind of document as a whole."""
    messages = []
    if document.status in kind.complete and not document.lines:
        messages.append(validation.NO_LINES)
    if document.total < 0:
        messages.append(validation.NEGATIVE_TOTAL)
    day = document.document_date
    return messages + lock_messages(books, day, day if before is None else before.document_date)


def today(books: Books, now: datetime) -> date:
    """Return today's date where the organisation is."""
    return now.astimezone(ZoneInfo(books.organisation.time_zone)).date()


def lock_messages(books: Books, *days: date) -> list[str]:
    """Return the refusals of dates on or before a lock date."""
    organisation = books.organisation
    year_lock, period_lock = organisation.end_of_year_lock_date, organisation.period_lock_date
    if year_lock is None and period_lock is None:
        return []
    if year_lock is not None and any(day <= year_lock for day in days):
        return [validation.year_locked(_long_date(year_lock))]
    if period_lock is not None and any(day <= period_lock for day in days):
        return [validation.period_locked(_long_date(period_lock))]
    return []


def _long_date(day: date) -> str:
    """Return `31 March 2026`."""
    return f"{day.day} {day:%B %Y}"


_NAMING = frozenset({"ContactID", "ContactNumber", "Name", "ContactStatus"})


def resolve_contact(
    call: Call, given: Json | None, before: Document | None, messages: list[str]
) -> Contact | None:
    """Return the contact a document names, perhaps a new one that is not stored yet.

    Further fields sent with the contact update it; the caller stores it once the document is
    accepted.
    """
    if not given:
        if before is not None:
            return call.books.contacts.get(before.contact_id)
        messages.append(validation.NO_CONTACT)
        return None
    try:
        contact = contacts.match(call.books, given)
        if contact is None:
            return contacts.new_contact(call.books, given, call.new_id(), call.now)
        if contact.status != "ACTIVE":
            messages.append(validation.CONTACT_ARCHIVED)
        elif not given.keys() <= _NAMING:
            return contacts.updated_contact(call.books, contact, given, call.now)
    except Invalid as invalid:
        messages.extend(invalid.messages)
        return None
    return contact


def store_contact(books: Books, contact: Contact, *, is_sale: bool) -> None:
    """Store a contact a document was accepted for, now a customer or a supplier."""
    known = books.contacts.get(contact.id)
    is_marked = contact.is_customer if is_sale else contact.is_supplier
    if known is contact and is_marked:
        return
    if is_sale:
        contact.is_customer = True
    else:
        contact.is_supplier = True
    books.contacts.put(contact)


def resolve_currency(
    call: Call, given: Json, before: Document | None, messages: list[str]
) -> tuple[str, Decimal]:
    """Return currency code and rate; the base currency has rate 1."""
    base = call.books.organisation.currency
    default = before.currency if before else base
    code = given.get("CurrencyCode", default).upper()
    if code == base:
        return code, BASE_RATE
    if call.books.currencies.get(code) is None:
        messages.append(validation.currency_not_subscribed(code))
    if "CurrencyRate" in given:
        rate = given["CurrencyRate"]
    elif before is not None and before.currency == code:
        rate = before.currency_rate
    else:
        rate = currencies.day_rate(base, code)
    return code, rate.quantize(SIX_PLACES, "ROUND_HALF_UP")


def check_url(given: Json, messages: list[str]) -> None:
    """Refuse a link that is not absolute or points at Xero."""
    url = given.get("Url")
    if url and (not url.startswith(("http://", "https://")) or "xero" in url.lower()):
        messages.append(validation.URL_NOT_ALLOWED)


def protected(document: Document) -> tuple[object, ...]:
    """Return what may not change once a payment or credit is on the document."""
    return (
        document.type,
        document.document_date,
        document.line_amount_types,
        document.currency,
        document.currency_rate,
        tuple(
            (
                *(line.id, line.quantity, line.unit_amount, line.line_amount, line.tax_type),
                *(line.tax_amount, line.item_code, line.discount_rate, line.discount_amount),
            )
            for line in document.lines
        ),
    )


def refuse_protected(before: Document, after: Document) -> None:
    """Refuse a change of what a payment or credit has fixed.

    Raises:
        Invalid: amounts, dates, types - or the contact of a credited document - would change.
    """
    if not (before.paid or before.credited):
        return
    is_moved = bool(before.credited) and before.contact_id != after.contact_id
    if is_moved or protected(before) != protected(after):
        raise Invalid(validation.STATUS_NOT_MODIFIABLE, validation.HAS_PAYMENT)


def settle(document: Document, day: date) -> None:
    """Set PAID when nothing is open any more, AUTHORISED when something is again."""
    if document.status == "AUTHORISED" and document.due == 0:
        document.status = "PAID"
        document.fully_paid_date = day
    elif document.status == "PAID" and document.due != 0:
        document.status = "AUTHORISED"
        document.fully_paid_date = None


def lines_json(call: Call, document: Document, *, is_write: bool) -> list[Json]:
    """Return the lines in Xero's form."""
    places = call.unit_places
    return [lines.line_json(call.books, line, places, is_write=is_write) for line in document.lines]


def contact_json(call: Call, document: Document, *, is_full: bool) -> msgspec.Raw:
    """Return the document's contact, expanded or as a stub."""
    table = call.books.contacts
    view = table.views.get((document.contact_id, is_full))
    if view is None:
        contact = table.rows[document.contact_id]
        element = contacts.contact_json(contact) if is_full else contacts.stub_json(contact)
        view = table.views[document.contact_id, is_full] = msgspec.Raw(wire.encode(element))
    return view


def dates_json(document: Document) -> Json:
    """Return date and due date in both of Xero's forms."""
    day, due = document.document_date, document.due_date
    if due is None:
        return {"DateString": wire.day_text(day), "Date": wire.day(day)}
    return {
        "DateString": wire.day_text(day),
        "Date": wire.day(day),
        "DueDateString": wire.day_text(due),
        "DueDate": wire.day(due),
    }


def totals_json(document: Document) -> Json:
    """Return totals, update time and currency."""
    return {
        "SubTotal": document.sub_total,
        "TotalTax": document.total_tax,
        "Total": document.total,
        "UpdatedDateUTC": wire.instant(document.updated_at),
        "CurrencyCode": document.currency,
    }
