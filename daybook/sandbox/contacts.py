"""Contacts: unique among active ones, found or created by documents, archived, never gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from daybook.sandbox import batch, listing, records, validation, wire
from daybook.sandbox.query import Schema, split_list
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Contact
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = batch.Shape(
    "Contacts", "Contact", "ContactID", error_flag="HasValidationErrors", has_status=True
)
STUB_LISTS = ("Addresses", "Phones", "ContactGroups", "ContactPersons")
MAX_NAME = 255
EXTRA_TEXTS = (
    "BankAccountDetails",
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
    "DefaultCurrency",
    "CompanyNumber",
    "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode",
)
ADDRESS_FIELDS = wire.Fields(
    AddressType=wire.choice("AddressType", "POBOX", "STREET", "DELIVERY"),
    AddressLine1=wire.text,
    AddressLine2=wire.text,
    AddressLine3=wire.text,
    AddressLine4=wire.text,
    City=wire.text,
    Region=wire.text,
    PostalCode=wire.text,
    Country=wire.text,
    AttentionTo=wire.text,
)
PHONE_FIELDS = wire.Fields(
    PhoneType=wire.choice("PhoneType", "DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
    PhoneNumber=wire.text,
    PhoneAreaCode=wire.text,
    PhoneCountryCode=wire.text,
)
PERSON_FIELDS = wire.Fields(
    FirstName=wire.text, LastName=wire.text, EmailAddress=wire.text, IncludeInEmails=wire.boolean
)
FIELDS = wire.Fields(
    ContactID=wire.text,
    ContactNumber=wire.text,
    AccountNumber=wire.text,
    ContactStatus=wire.choice("ContactStatus", "ACTIVE", "ARCHIVED", "GDPRREQUEST"),
    Name=wire.text,
    FirstName=wire.text,
    LastName=wire.text,
    EmailAddress=wire.text,
    TaxNumber=wire.text,
    Addresses=wire.many(ADDRESS_FIELDS),
    Phones=wire.many(PHONE_FIELDS),
    ContactPersons=wire.many(PERSON_FIELDS),
    **dict.fromkeys(EXTRA_TEXTS, wire.text),
)

# Routes


def list_contacts(call: Call) -> Reply:
    """GET /Contacts."""
    wanted = split_list(call.query.get("ids"))
    among = None
    if wanted:
        rows = (call.books.contacts.get(contact_id.lower()) for contact_id in wanted)
        among = [row for row in rows if row is not None]
    is_summary = call.query.get("summaryonly", "").lower() == "true"
    found = listing.select(
        call, call.books.contacts, LISTING, among=among, keep=_keep(call), force_paging=is_summary
    )
    is_full = found.pagination is not None
    content: Json = {"pagination": found.pagination} if found.pagination else {}
    render: Callable[[Contact], Json] = summary_json if is_summary else contact_json
    if not is_full:
        render = contact_json
    return call.reply(**content, Contacts=[render(row) for row in found.rows])


def _keep(call: Call) -> Callable[[Contact], bool]:
    """Return the condition of includeArchived and searchTerm."""
    with_archived = call.query.get("includearchived", "").lower() == "true" or bool(
        call.query.get("ids")
    )
    term = call.query.get("searchterm", "").lower()

    def keep(row: Contact) -> bool:
        texts = (row.name, row.first_name, row.last_name, row.email, row.number)
        return (with_archived or row.status == "ACTIVE") and (
            not term or any(term in value.lower() for value in texts)
        )

    return keep


def get_contact(call: Call) -> Reply:
    """GET /Contacts/{ContactID or ContactNumber}."""
    return call.reply(Contacts=[contact_json(by_id_or_number(call.books, call.ids[0]))])


def put_contacts(call: Call) -> Reply:
    """PUT /Contacts: create only."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _created(call, given))


def post_contacts(call: Call) -> Reply:
    """POST /Contacts: update what ContactID, ContactNumber or Name matches, create the rest."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _upserted(call, given))


def post_contact(call: Call) -> Reply:
    """POST /Contacts/{ContactID}."""
    contact = by_id_or_number(call.books, call.ids[0])
    return batch.run(call, SHAPE, FIELDS, lambda given: _updated(call, contact, given))


# Rules


def by_id_or_number(books: Books, key: str) -> Contact:
    """Return a contact by ContactID, else by ContactNumber."""
    found = books.contacts.get(key.lower())
    if found is None:
        found = next(iter(books.contacts.find("number", key.lower())), None)
    if found is None:
        raise NotFound
    return found


def _created(call: Call, given: Json) -> Json:
    contact = new_contact(call.books, given, call.new_id(), call.now)
    call.books.contacts.put(contact)
    return contact_json(contact)


def _upserted(call: Call, given: Json) -> Json:
    contact = match(call.books, given)
    return _created(call, given) if contact is None else _updated(call, contact, given)


def _updated(call: Call, contact: Contact, given: Json) -> Json:
    changed = updated_contact(call.books, contact, given, call.now)
    call.books.contacts.put(changed)
    return contact_json(changed)


def match(books: Books, given: Json) -> Contact | None:
    """Find the contact an element means: by ContactID, ContactNumber, then active Name.

    Raises:
        Invalid: a ContactID that does not exist, or nothing to identify a contact by.
    """
    if given.get("ContactID"):
        found = books.contacts.get(given["ContactID"].lower())
        if found is None:
            raise Invalid(validation.CONTACT_UNKNOWN)
        return found
    if given.get("ContactNumber"):
        numbered = books.contacts.find("number", given["ContactNumber"].lower())
        if numbered:
            return numbered[0]
    if given.get("Name"):
        return _active_namesake(books, given["Name"])
    if not given.get("ContactNumber"):
        raise Invalid(validation.CONTACT_UNIDENTIFIED)
    return None


def _active_namesake(books: Books, name: str) -> Contact | None:
    """Return the active contact of this name."""
    for row in books.contacts.find("name", name.lower()):
        if row.status == "ACTIVE":
            return row
    return None


def new_contact(books: Books, given: Json, contact_id: str, now: datetime) -> Contact:
    """Return a valid new contact, not yet stored.

    Raises:
        Invalid: a name or number that is taken or malformed.
    """
    contact = records.Contact(id=contact_id, name="", updated_at=now)
    return updated_contact(books, contact, given, now)


def updated_contact(books: Books, contact: Contact, given: Json, now: datetime) -> Contact:
    """Return the contact with what was sent; what was left out stays as it is.

    Raises:
        Invalid: a name or number that is taken or malformed.
    """
    changed = records.Contact(
        id=contact.id,
        name=given.get("Name", contact.name),
        updated_at=now,
        status=given.get("ContactStatus", contact.status),
        number=given.get("ContactNumber", contact.number),
        account_number=given.get("AccountNumber", contact.account_number),
        first_name=given.get("FirstName", contact.first_name),
        last_name=given.get("LastName", contact.last_name),
        email=given.get("EmailAddress", contact.email),
        tax_number=given.get("TaxNumber", contact.tax_number),
        is_customer=contact.is_customer,
        is_supplier=contact.is_supplier,
        addresses=given.get("Addresses", contact.addresses),
        phones=given.get("Phones", contact.phones),
        persons=given.get("ContactPersons", contact.persons),
        extra=contact.extra | {name: given[name] for name in EXTRA_TEXTS if name in given},
        has_attachments=contact.has_attachments,
    )
    validation.refuse_if(_problems(books, changed))
    return changed


def _problems(books: Books, contact: Contact) -> list[str]:
    """Return what is wrong with a contact about to be stored."""
    messages = []
    name = contact.name
    if not name.strip():
        messages.append(validation.CONTACT_UNIDENTIFIED)
    elif len(name) > MAX_NAME or re.search(r"[<>]|^\s|\s$|\s\s", name):
        messages.append(validation.CONTACT_NAME_FORM)
    namesake = _active_namesake(books, name)
    if contact.status == "ACTIVE" and namesake is not None and namesake.id != contact.id:
        messages.append(validation.contact_name_taken(name))
    numbered = books.contacts.find("number", contact.number.lower()) if contact.number else []
    if any(other.id != contact.id for other in numbered):
        messages.append(validation.CONTACT_NUMBER_TAKEN)
    if contact.email and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", contact.email):
        messages.append(validation.EMAIL_INVALID)
    return messages


# Wire form


def stub_json(contact: Contact) -> Json:
    """Return the short form inside lists of documents."""
    return {
        "ContactID": contact.id,
        "Name": contact.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


_ADDRESS_BLANK = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
_PHONE_BLANK = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
_ADDRESS_TYPES = ("STREET", "POBOX")
_PHONE_TYPES = ("DEFAULT", "DDI", "FAX", "MOBILE")


def contact_json(contact: Contact) -> Json:
    """Return the full form."""
    element = summary_json(contact)
    addresses = {entry.get("AddressType", "STREET"): entry for entry in contact.addresses}
    phones = {entry.get("PhoneType", "DEFAULT"): entry for entry in contact.phones}
    element["Addresses"] = [
        {"AddressType": kind, **_ADDRESS_BLANK, **addresses.get(kind, {})}
        for kind in (*_ADDRESS_TYPES, *(kind for kind in addresses if kind not in _ADDRESS_TYPES))
    ]
    element["Phones"] = [
        {"PhoneType": kind, **_PHONE_BLANK, **phones.get(kind, {})}
        for kind in (*_PHONE_TYPES, *(kind for kind in phones if kind not in _PHONE_TYPES))
    ]
    element["ContactGroups"] = []
    element["IsSupplier"] = contact.is_supplier
    element["IsCustomer"] = contact.is_customer
    element["SalesTrackingCategories"] = []
    element["PurchasesTrackingCategories"] = []
    element["ContactPersons"] = contact.persons
    element["HasAttachments"] = contact.has_attachments
    return element


def summary_json(contact: Contact) -> Json:
    """Return the form of summaryOnly lists."""
    element: Json = {"ContactID": contact.id}
    if contact.number:
        element["ContactNumber"] = contact.number
    if contact.account_number:
        element["AccountNumber"] = contact.account_number
    element["ContactStatus"] = contact.status
    element["Name"] = contact.name
    if contact.first_name:
        element["FirstName"] = contact.first_name
    if contact.last_name:
        element["LastName"] = contact.last_name
    element["EmailAddress"] = contact.email
    element["BankAccountDetails"] = contact.extra.get("BankAccountDetails", "")
    if contact.tax_number:
        element["TaxNumber"] = contact.tax_number
    element.update(contact.extra)
    element["UpdatedDateUTC"] = wire.instant(contact.updated_at)
    element["HasValidationErrors"] = False
    return element


LISTING: listing.Listing[Contact] = listing.Listing(
    Schema(
        {
            "contactid": lambda row: row.id,
            "name": lambda row: row.name,
            "contactnumber": lambda row: row.number,
            "accountnumber": lambda row: row.account_number,
            "emailaddress": lambda row: row.email,
            "firstname": lambda row: row.first_name,
            "lastname": lambda row: row.last_name,
            "contactstatus": lambda row: row.status,
            "iscustomer": lambda row: row.is_customer,
            "issupplier": lambda row: row.is_supplier,
            "updateddateutc": lambda row: row.updated_at,
        },
        frozenset({"contactid", "name", "emailaddress", "accountnumber", "updateddateutc"}),
    ),
    indexes={"name": "name", "contactnumber": "number"},
    id_fields=("contactid",),
)

_SCOPE = "accounting.contacts"
ROUTES = (
    Route("GET", "/Contacts", _SCOPE, list_contacts),
    Route("PUT", "/Contacts", _SCOPE, put_contacts),
    Route("POST", "/Contacts", _SCOPE, post_contacts),
    Route("GET", "/Contacts/{ContactID}", _SCOPE, get_contact),
    Route("POST", "/Contacts/{ContactID}", _SCOPE, post_contact),
)
