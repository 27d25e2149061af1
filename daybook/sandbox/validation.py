"""Xero's refusals: the error families of the API and the catalogue of its messages.

Messages are Xero's own words where a source shows them; `docs/sandbox.md` lists the ones nobody
has captured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal


class ApiError(Exception):
    """A request refused as a whole; serialised in one place, `wire.error_reply`."""

    def __init__(self, number: int, kind: str, message: str, status: int = 400) -> None:
        """`kind` is Xero's `Type`, `number` its `ErrorNumber`."""
        super().__init__(message)
        self.number = number
        self.kind = kind
        self.message = message
        self.status = status


class PostDataInvalid(ApiError):
    """The body cannot be read: bad JSON, a date or number in a wrong form, an unknown enum name."""

    def __init__(self, message: str) -> None:
        """`message` follows Xero's deserialiser."""
        super().__init__(14, "PostDataInvalidException", message)
        self._reason = message
        self._path = ""

    def inside(self, step: str) -> PostDataInvalid:
        """Return this problem as seen from one level further out; `step` is `.Name` or `[0]`."""
        self._path = step + self._path
        self.message = f"{self._reason} Path '{self._path.lstrip('.')}'."
        return self


class QueryParseError(ApiError):
    """A `where` or `order` that Xero cannot read."""

    def __init__(self, message: str) -> None:
        """`message` says what was not understood."""
        super().__init__(16, "QueryParseException", message)


class NoDataProcessed(ApiError):
    """The body does not hold what the endpoint expects."""

    def __init__(self, noun: str) -> None:
        """`noun` is the singular of the endpoint; the misspelling is Xero's."""
        super().__init__(
            17,
            "NoDataProcessedException",
            "No data has been processed for this endpoint. This endpoint is expecting "
            f"{noun} data to be specifed in the request body.",
        )


class NotImplementedByXero(ApiError):
    """The method exists for other endpoints only."""

    def __init__(self) -> None:
        """Answered with 501."""
        super().__init__(
            20, "ApiMethodNotImplementedException", "The Api Method called is not implemented", 501
        )


class NotFound(Exception):
    """No such object; Xero answers 404 with a sentence in plain text."""


class Invalid(Exception):
    """One element breaks rules; `messages` go into its ValidationErrors."""

    def __init__(self, *messages: str) -> None:
        """At least one message."""
        super().__init__("; ".join(messages))
        self.messages = messages


def refuse_if(messages: Sequence[str]) -> None:
    """Raise `Invalid` when anything was found."""
    if messages:
        raise Invalid(*messages)


# Documents with lines
NUMBER_TAKEN = "Invoice # must be unique."
CREDIT_NOTE_NUMBER_TAKEN = "Credit Note # must be unique."
STATUS_NOT_MODIFIABLE = "Invoice not of valid status for modification"
STATUS_NOT_CREATABLE = "Invoice not of valid status for creation"
TYPE_NOT_CREATABLE = "Invoice not of valid type for creation"
HAS_PAYMENT = "This document cannot be edited as it has a payment or credit note allocated to it."
NO_LINES = "One or more line items must be specified"
NO_CONTACT = "A Contact must be specified for this type of transaction"
NO_DUE_DATE = "Due date cannot be empty."
NO_ACCOUNT_CODE = "Account code must be specified"
NO_DESCRIPTION = "The description field is mandatory for each line item."
NEGATIVE_TOTAL = "The Total for this document must be greater than or equal to zero."
TAX_ABOVE_LINE = "The tax amount cannot be greater than the line amount"
TAX_RATE_INACTIVE = "Tax rate must be Active"
TAX_RATE_UNKNOWN = "Tax rate must be valid."
INVOICE_UNKNOWN = "An existing Invoice with the specified InvoiceID could not be found"
CREDIT_NOTE_UNKNOWN = "An existing Credit Note with the specified CreditNoteID could not be found"
BANK_TRANSACTION_UNKNOWN = (
    "An existing Bank Transaction with the specified BankTransactionID could not be found"
)
PLAN_LIMIT = "You have reached the limit of invoices you can approve"
SENT_TO_CONTACT_WARNING = "Only AUTHORISED invoices may have SentToContact updated."
LINE_ITEM_UNKNOWN = "The line item with the specified LineItemID could not be found"
NO_DISCOUNT_HERE = "Discounts are only available on sales invoices and quotes."
LINE_TOO_LARGE = "The line amount must not be greater than 9,999,999,999.99."
TOO_MANY_TRACKING = "A line item can have at most 2 tracking categories."
NUMBER_FORM = "The document number must be at most 255 printable ASCII characters."
URL_NOT_ALLOWED = "Url must be a valid absolute url and must not contain xero."


def account_not_valid(code: str) -> str:
    """Return the message for an account that does not exist or is of the wrong kind."""
    return f"Account code '{code}' is not a valid code for this document."


def account_archived(code: str) -> str:
    """Return the message for an archived account."""
    return (
        f"Account code '{code}' has been archived, or has been deleted. "
        "Each line item must reference a valid account."
    )


def tax_not_for_account(tax_type: str, code: str) -> str:
    """Return the message for a tax type the account's class may not carry."""
    return f"The TaxType code '{tax_type}' cannot be used with account code '{code}'."


def tax_type_unknown(tax_type: str) -> str:
    """Return the message for a tax type the organisation does not have."""
    return f"The TaxType code '{tax_type}' does not exist or cannot be used for this organisation."


def line_total_differs(given: Decimal, expected: Decimal) -> str:
    """Return the message for LineAmount against Quantity x UnitAmount."""
    return f"The line total {given} does not match the expected line total {expected}"


def tax_total_differs(given: Decimal, expected: Decimal) -> str:
    """Return the message for a bank transaction whose TaxAmount is not the computed one."""
    return f"The tax amount {given} does not match the expected tax amount {expected}"


def discount_too_big(discount: Decimal) -> str:
    """Return the message for a discount beyond the line."""
    return (
        f"The discount rate '{discount}' is invalid. "
        "Discount must not be greater than the line total."
    )


def item_unknown(code: str) -> str:
    """Return the message for an item code; the sandbox keeps no items."""
    return f"Item code '{code}' is not valid"


def tracking_unknown(text: str) -> str:
    """Return the message for a tracking category or option that is not there or archived."""
    return f"The tracking category or option '{text}' is not valid or has been archived."


def currency_not_subscribed(code: str) -> str:
    """Return the message for a document in a currency the organisation lacks."""
    return f"Organisation is not subscribed to currency {code}"


def period_locked(day: str) -> str:
    """Return the message for a document on or before the period lock date."""
    return f"The document date cannot be before the period lock date, currently set at {day}"


def year_locked(day: str) -> str:
    """Return the message for a document on or before the end of year lock date."""
    return f"The document date cannot be before the end of year lock date, currently set at {day}"


def void_refused(status: str) -> str:
    """Return the message for voiding a document that still carries payments or credits."""
    return (
        f"The status {status} cannot be applied to the invoice because it has payments "
        "or credit notes allocated to it."
    )


def currency_unknown(code: str) -> str:
    """Return the message for a currency code nobody knows."""
    return f"The currency code '{code}' is not valid."


def account_currency(code: str) -> str:
    """Return the message for an account in a currency the organisation lacks."""
    return f"The current organisation is not subscribed to currency '{code}'."


# Contacts
CONTACT_ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
CONTACT_UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
CONTACT_UNKNOWN = "An existing Contact with the specified ContactID could not be found"
CONTACT_NUMBER_TAKEN = (
    "Another contact has this contact number. Please enter a different contact number."
)
CONTACT_NAME_FORM = "The contact name must not contain angle brackets or surplus spaces."
EMAIL_INVALID = "Email address must be valid."


def contact_name_taken(name: str) -> str:
    """Return the message for a second active contact of the same name."""
    return (
        f"The contact name {name} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )


# Payments, allocations
AMOUNT_EXCEEDS = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
PAYMENT_ACCOUNT_TYPE = "Account type is invalid for making a payment to/from."
PAYMENT_ACCOUNT_UNKNOWN = "Account could not be found."
PAYMENT_DOCUMENT_UNKNOWN = "Document could not be found"
PAYMENT_ACCOUNT_MISSING = "You must specify an Account code or Account ID for the payment"
PAYMENT_TWO_DOCUMENTS = "Payment is applied to more than one document."
PAYMENT_NO_DOCUMENT = "This payment is not applied."
PAYMENT_IN_BATCH = "Payments within a batch cannot be deleted."
PAYMENT_AMOUNT_MISSING = "The payment amount must be greater than zero."
PAYMENT_RECONCILED = (
    "This payment cannot be deleted as it has been reconciled with a Bank Statement."
)
PAYMENT_NOT_DELETABLE = "This payment has already been deleted."
PAYMENT_IMMUTABLE = "Payments cannot be updated, only created and deleted."
DOCUMENT_UNKNOWN = "The document with the supplied id was not found for this endpoint."
BATCH_MIXED = "A batch payment cannot contain both sales invoices and bills."
BATCH_CURRENCY = "Batch payments can only be made in the base currency."
BATCH_EMPTY = "A batch payment must contain at least one payment."
BATCH_NOT_DELETABLE = "This batch payment has already been deleted."
ALLOCATION_CONTACT = "The credit note and the invoice must belong to the same contact."
ALLOCATION_EXCEEDS_CREDIT = "The allocated amount exceeds the remaining credit of this credit note."


def text_too_long(name: str, length: int) -> str:
    """Return the message for a text field beyond its length."""
    return f"{name} must not be longer than {length} characters."


# Bank transactions
BANK_RECONCILED = (
    "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."
)
BANK_ACCOUNT_INVALID = "A valid bank account must be specified for this type of transaction."
BANK_TOTAL_POSITIVE = "The total of a bank transaction must be greater than zero."
BANK_QUANTITY = "Quantity must be greater than zero."
BANK_UNIT_AMOUNT = "The unit amount of a line item must not be zero."
BANK_TYPE = "Bank Transaction not of valid type for creation"
BANK_STATUS = "Bank Transaction not of valid status for modification"

# Settings
ACCOUNT_NAME_TAKEN = "Please enter a unique Name."
ACCOUNT_CODE_TAKEN = "Please enter a unique Code."
ACCOUNT_CODE_LENGTH = "The account code must not be longer than 10 characters."
ACCOUNT_TYPE_INVALID = "Please select a valid account type."
ACCOUNT_ARCHIVE_ALONE = "An account cannot be archived together with other changes."
ACCOUNT_SYSTEM = "System accounts cannot be updated, archived or deleted."
ACCOUNT_USED = "This account has been used in a transaction and cannot be deleted."
ONE_AT_A_TIME = "Only one element can be sent to this endpoint at a time."
TRACKING_LIMIT = "An organisation can have at most 2 active and 4 tracking categories in total."
TRACKING_NAME_TAKEN = "Please enter a unique Name."
NAME_LENGTH = "Name must be between 1 and 100 characters long."
TAX_RATE_COMPONENTS = "At least one tax component must be specified."
CURRENCY_PLAN = "The current plan of the organisation does not include multiple currencies."

# Attachments, history
ATTACHMENT_COUNT = (
    "The file couldn't be uploaded because the API limit of 10 attachments has been exceeded "
    "for the document."
)
ATTACHMENT_TYPE = "The file couldn't be uploaded because it isn't a supported file type"
ATTACHMENT_SIZE = "The file couldn't be uploaded because it exceeds the size limit of 10 MB."
ATTACHMENT_NAME = "The file name contains characters that are not allowed, or is too long."
ATTACHMENT_EMPTY = "The file couldn't be uploaded because it is empty."
NOTE_LENGTH = "Details must be between 1 and 2500 characters long."
