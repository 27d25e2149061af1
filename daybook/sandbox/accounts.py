"""The chart of accounts: one account a call, system accounts untouchable, archiving on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import batch, listing, records, validation, wire
from daybook.sandbox.lines import CLASS_OF_TYPE
from daybook.sandbox.query import Schema
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import ApiError, Invalid, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Account
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = batch.Shape("Accounts", "Account", "AccountID")
BANK_ACCOUNT_TYPES = ("BANK", "CREDITCARD", "PAYPAL")
FIELDS = wire.Fields(
    AccountID=wire.text,
    Code=wire.text,
    Name=wire.text,
    Type=wire.text,
    Status=wire.choice("AccountStatus", "ACTIVE", "ARCHIVED", "DELETED"),
    TaxType=wire.text,
    Description=wire.text,
    EnablePaymentsToAccount=wire.boolean,
    ShowInExpenseClaims=wire.boolean,
    BankAccountNumber=wire.text,
    BankAccountType=wire.text,
    CurrencyCode=wire.text,
    SystemAccount=wire.text,
)
MAX_CODE = 10
MAX_NAME = 150

# Routes


def list_accounts(call: Call) -> Reply:
    """GET /Accounts; never paged."""
    found = listing.select(call, call.books.accounts, LISTING)
    return call.reply(Accounts=[account_json(row) for row in found.rows])


def get_account(call: Call) -> Reply:
    """GET /Accounts/{AccountID}."""
    return call.reply(Accounts=[account_json(_known(call))])


def put_account(call: Call) -> Reply:
    """PUT /Accounts: exactly one."""
    refuse_many(call, "Accounts", "Account")

    def apply(given: Json) -> Json:
        account = new_account(call.books, given, call.new_id(), call.now)
        call.books.accounts.put(account)
        return account_json(account)

    return batch.run(call, SHAPE, FIELDS, apply)


def post_account(call: Call) -> Reply:
    """POST /Accounts/{AccountID}, or /Accounts with the id in the body."""
    refuse_many(call, "Accounts", "Account")

    def apply(given: Json) -> Json:
        account_id = call.ids[0] if call.ids else given.get("AccountID", "")
        account = call.books.accounts.get(account_id.lower())
        if account is None:
            raise NotFound
        changed = updated_account(call.books, account, given, call.now)
        call.books.accounts.put(changed)
        return account_json(changed)

    return batch.run(call, SHAPE, FIELDS, apply)


def delete_account(call: Call) -> Reply:
    """DELETE /Accounts/{AccountID}: only while nothing uses it."""
    account = _known(call)
    if account.system_account:
        return batch.validation_reply([_refused(account, validation.ACCOUNT_SYSTEM)])
    if is_used(call.books, account):
        return batch.validation_reply([_refused(account, validation.ACCOUNT_USED)])
    deleted = msgspec.structs.replace(account, status="DELETED", code="", updated_at=call.now)
    call.books.accounts.put(deleted)
    return call.reply(Accounts=[account_json(deleted)])


def _refused(account: Account, message: str) -> Json:
    return account_json(account) | {"ValidationErrors": [{"Message": message}]}


def _known(call: Call) -> Account:
    account = call.books.accounts.get(call.ids[0].lower())
    if account is None:
        raise NotFound
    return account


# Rules


def refuse_many(call: Call, plural: str, noun: str) -> None:
    """Refuse more than one element at endpoints that take exactly one.

    Raises:
        ApiError: there are several.
    """
    if len(wire.elements(call.body, plural, noun)) > 1:
        raise ApiError(10, "ValidationException", validation.ONE_AT_A_TIME)


def new_account(books: Books, given: Json, account_id: str, now: datetime) -> Account:
    """Return a valid new account, not yet stored.

    Raises:
        Invalid: a code or name that is taken, or an unknown type.
    """
    kind = given.get("Type", "")
    if kind not in CLASS_OF_TYPE:
        raise Invalid(validation.ACCOUNT_TYPE_INVALID)
    account = records.Account(
        id=account_id,
        code="",
        name="",
        type=kind,
        updated_at=now,
        tax_type=default_tax_type(books, kind),
        system_account="",
        bank_account_type="BANK" if kind == "BANK" else "",
        currency=books.organisation.currency if kind == "BANK" else "",
    )
    return _changed(books, account, given, now)


def default_tax_type(books: Books, account_type: str) -> str:
    """Return the tax type an account gets when none is named."""
    for name in ("NONE", "BASEXCLUDED"):
        rate = books.tax_rates.get(name)
        if rate is not None and CLASS_OF_TYPE[account_type] in rate.applies_to:
            return name
    return "NONE"


def updated_account(books: Books, account: Account, given: Json, now: datetime) -> Account:
    """Return the account with what was sent.

    Raises:
        Invalid: a system account, archiving mixed with other changes, a code or name that is taken.
    """
    if account.system_account:
        raise Invalid(validation.ACCOUNT_SYSTEM)
    status = given.get("Status", account.status)
    if status != account.status:
        if given.keys() - {"Status", "AccountID"}:
            raise Invalid(validation.ACCOUNT_ARCHIVE_ALONE)
        return msgspec.structs.replace(account, status=status, updated_at=now)
    return _changed(books, account, given, now)


def _changed(books: Books, account: Account, given: Json, now: datetime) -> Account:
    """Apply the plain fields and check them."""
    changed = msgspec.structs.replace(
        account,
        updated_at=now,
        code=given.get("Code", account.code),
        name=given.get("Name", account.name),
        type=given.get("Type", account.type),
        tax_type=given.get("TaxType", account.tax_type),
        description=given.get("Description", account.description),
        enable_payments=given.get("EnablePaymentsToAccount", account.enable_payments),
        show_in_expense_claims=given.get("ShowInExpenseClaims", account.show_in_expense_claims),
        bank_account_number=given.get("BankAccountNumber", account.bank_account_number),
        bank_account_type=given.get("BankAccountType", account.bank_account_type),
        currency=given.get("CurrencyCode", account.currency),
    )
    validation.refuse_if(_problems(books, changed))
    return changed


def _problems(books: Books, account: Account) -> list[str]:
    messages = []
    if account.type not in CLASS_OF_TYPE:
        messages.append(validation.ACCOUNT_TYPE_INVALID)
    if len(account.code) > MAX_CODE:
        messages.append(validation.ACCOUNT_CODE_LENGTH)
    if not account.code and account.type != "BANK":
        messages.append(validation.ACCOUNT_CODE_TAKEN)
    for index, key, message in (
        ("code", account.code, validation.ACCOUNT_CODE_TAKEN),
        ("name", account.name.lower(), validation.ACCOUNT_NAME_TAKEN),
    ):
        others = books.accounts.find(index, key) if key else []
        if any(other.id != account.id and other.status != "DELETED" for other in others):
            messages.append(message)
    if not 0 < len(account.name) <= MAX_NAME:
        messages.append(validation.ACCOUNT_NAME_TAKEN)
    if account.tax_type not in books.tax_rates.rows:
        messages.append(validation.tax_type_unknown(account.tax_type))
    if account.currency and account.currency not in books.currencies.rows:
        messages.append(validation.account_currency(account.currency))
    return messages


def is_used(books: Books, account: Account) -> bool:
    """Tell whether any document or payment names the account."""
    if any(payment.account_id == account.id for payment in books.payments):
        return True
    return any(
        document.bank_account_id == account.id
        or any(line.account_id == account.id for line in document.lines)
        for table in (books.invoices, books.credit_notes, books.bank_transactions)
        for document in table
    )


# Wire form


def account_json(account: Account) -> Json:
    """Return an account."""
    element: Json = {"AccountID": account.id}
    if account.code:
        element["Code"] = account.code
    element |= {
        "Name": account.name,
        "Status": account.status,
        "Type": account.type,
        "TaxType": account.tax_type,
        "Description": account.description,
        "Class": CLASS_OF_TYPE[account.type],
        "EnablePaymentsToAccount": account.enable_payments,
        "ShowInExpenseClaims": account.show_in_expense_claims,
    }
    if account.system_account:
        element["SystemAccount"] = account.system_account
    if account.type == "BANK":
        element["BankAccountNumber"] = account.bank_account_number
        element["BankAccountType"] = account.bank_account_type
        element["CurrencyCode"] = account.currency
    element["ReportingCode"] = ""
    element["HasAttachments"] = account.has_attachments
    element["UpdatedDateUTC"] = wire.instant(account.updated_at)
    element["AddToWatchlist"] = False
    return element


LISTING: listing.Listing[Account] = listing.Listing(
    Schema(
        {
            "accountid": lambda row: row.id,
            "code": lambda row: row.code,
            "name": lambda row: row.name,
            "type": lambda row: row.type,
            "status": lambda row: row.status,
            "class": lambda row: CLASS_OF_TYPE[row.type],
            "taxtype": lambda row: row.tax_type,
            "systemaccount": lambda row: row.system_account,
            "enablepaymentstoaccount": lambda row: row.enable_payments,
            "currencycode": lambda row: row.currency,
            "updateddateutc": lambda row: row.updated_at,
        },
        frozenset(),
    ),
    id_fields=("accountid",),
)

_SCOPE = "accounting.settings"
ROUTES = (
    Route("GET", "/Accounts", _SCOPE, list_accounts),
    Route("PUT", "/Accounts", _SCOPE, put_account),
    Route("POST", "/Accounts", _SCOPE, post_account),
    Route("GET", "/Accounts/{AccountID}", _SCOPE, get_account),
    Route("POST", "/Accounts/{AccountID}", _SCOPE, post_account),
    Route("DELETE", "/Accounts/{AccountID}", _SCOPE, delete_account),
)
