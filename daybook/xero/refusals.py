"""What Xero's refusals mean, and what to do: its own words -> our explanation and the next step.

Pure. `docs/operations.md` shows the same table; a message that is not in it is passed on in Xero's
own words with the next step that is always right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAPPING: Final = "Correct the mapping, load it, and run the day again."
_RUN_AGAIN: Final = "Run the day again; nothing is posted twice."
_REPORT: Final = "This is a fault of Daybook: report it with Xero's words."


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message of Xero; `*` in `words` stands for what differs from case to case."""

    words: str
    explanation: str
    next_step: str

    def matches(self, message: str) -> bool:
        """Whether it is this message; case and a closing full stop do not matter."""
        pattern = ".*".join(re.escape(part) for part in self.words.rstrip(".").split("*"))
        return re.match(pattern, message, re.IGNORECASE) is not None


REFUSALS: Final = (
    Refusal(
        "Invoice # must be unique",
        "Another document in Xero has this number; a voided one keeps its number too.",
        "Find the number in Xero. If a person made that document, give it another number there; "
        "if it is an old one of Daybook's, compare the two.",
    ),
    Refusal(
        "Invoice not of valid status for modification",
        "The document is voided, deleted or paid, so Xero does not let it change.",
        "Look at the document in Xero and post the difference by hand if there is one.",
    ),
    Refusal(
        "This document cannot be edited as it has a payment or credit note allocated to it",
        "The document has payments, so Xero does not let it change.",
        "Remove the payment in Xero first, or post the difference by hand.",
    ),
    Refusal(
        "Invoice not of valid status for creation", "Xero cannot create in this state.", _REPORT
    ),
    Refusal("Invoice not of valid type for creation", "Xero cannot create this type.", _REPORT),
    Refusal(
        "One or more line items must be specified", "The document came without lines.", _REPORT
    ),
    Refusal(
        "A Contact must be specified for this type of transaction",
        "The document came without a contact.",
        "Name a contact in the mapping, load it, and run the day again.",
    ),
    Refusal(
        "Only AUTHORISED invoices may have SentToContact updated",
        "Xero marks only approved documents as sent; the document itself was saved.",
        "Nothing has to be done.",
    ),
    Refusal("Due date cannot be empty", "The document came without a due date.", _REPORT),
    Refusal("Account code must be specified", "A line has no account.", _MAPPING),
    Refusal(
        "The description field is mandatory for each line item",
        "A line has no description: a category or tender has an empty name.",
        "Give it a name in the point of sale, and run the day again.",
    ),
    Refusal(
        "The Total for this document must be greater than or equal to zero",
        "Refunds come to more than sales.",
        'Set refunds = "credit_note" in the mapping, load it, and run the day again.',
    ),
    Refusal(
        "Account code '*' is not a valid code for this document",
        "The account does not exist, or is a bank or control account, which takes no lines.",
        "Add the account in Xero or name another one in the mapping, and run the day again.",
    ),
    Refusal(
        "Account code '*' has been archived, or has been deleted",
        "The account is not in use any more.",
        "Restore it in Xero or name another one in the mapping, and run the day again.",
    ),
    Refusal(
        "Account code '*' has been removed as it does not match a recognised account",
        "The account does not exist.",
        "Add the account in Xero or name another one in the mapping, and run the day again.",
    ),
    Refusal(
        "The TaxType code '*' cannot be used with account code '*'",
        "This tax rate is not allowed on this kind of account.",
        _MAPPING,
    ),
    Refusal("Tax rate must be Active", "The tax rate is not in use any more.", _MAPPING),
    Refusal("Tax rate must be valid", "The tax rate does not exist.", _MAPPING),
    Refusal("Account must be valid", "The account does not exist.", _MAPPING),
    Refusal(
        "The line total * does not match the expected line total *",
        "Quantity times price is not the line's amount.",
        _REPORT,
    ),
    Refusal(
        "The invoice total does not equal the sum of the lines",
        "The lines do not come to the document's total.",
        _REPORT,
    ),
    Refusal(
        "The discount rate '*' is invalid",
        "A discount is more than its line.",
        "Check the day's discounts in the point of sale, and run the day again.",
    ),
    Refusal(
        "The tax amount cannot be greater than the line amount",
        "A line's tax is more than the line itself.",
        "Check the day's taxes in the point of sale, and run the day again.",
    ),
    Refusal("Item code '*' is not valid", "Xero does not know the item.", _REPORT),
    Refusal(
        "Organisation is not subscribed to currency *",
        "The organisation has no such currency.",
        "Add the currency in Xero (it may need a larger plan), and run the day again.",
    ),
    Refusal(
        "The current organisation is not subscribed to currency '*'",
        "The organisation has no such currency.",
        "Add the currency in Xero (it may need a larger plan), and run the day again.",
    ),
    Refusal(
        "You have reached the limit of invoices you can approve",
        "The organisation's plan allows no more invoices this month.",
        "Move the organisation to a larger plan in Xero, and run the day again.",
    ),
    Refusal(
        "The document date cannot be before the period lock date",
        "The books are locked up to this date.",
        "Move the lock date in Xero, or ask whoever closed the period; then run the day again.",
    ),
    Refusal(
        "The document date cannot be before the end of year lock date",
        "The financial year is closed.",
        "Ask the accountant: the lock date has to move, or the day is posted by hand.",
    ),
    Refusal(
        "An existing * with the specified *ID could not be found",
        "The document is not in this organisation any more.",
        "Check that the right organisation is connected, and run the day again.",
    ),
    Refusal(
        "The status VOIDED cannot be applied to the invoice",
        "The document has payments, so it cannot be voided.",
        "Remove its payments in Xero first.",
    ),
    Refusal(
        "The contact name * is already assigned to another contact",
        "A contact of this name was made meanwhile.",
        _RUN_AGAIN,
    ),
    Refusal(
        "The contact with the specified contact details has been archived",
        "The contact is archived.",
        "Restore the contact in Xero or name another one in the mapping, and run the day again.",
    ),
    Refusal(
        "The Contact must contain at least 1 of the following elements to identify the contact",
        "The contact has no name.",
        "Name a contact in the mapping, load it, and run the day again.",
    ),
    Refusal(
        "Email address must be valid", "The contact's address is wrong.", "Correct it in Xero."
    ),
    Refusal(
        "Contact cannot be empty",
        "The document came without a contact.",
        "Name a contact in the mapping, load it, and run the day again.",
    ),
    Refusal("Paid to name cannot be empty", "The payee has no name.", _MAPPING),
    Refusal(
        "Another contact has this contact number",
        "Two contacts cannot share a number.",
        "Give one of them another number in Xero, and run the day again.",
    ),
    Refusal(
        "Payment amount exceeds the amount outstanding on this document",
        "Something else has been paid on the document already.",
        "Compare its payments in Xero with the day's tenders, and remove what is wrong.",
    ),
    Refusal(
        "Payments can only be made against Authorised documents",
        "The document is paid already, or voided.",
        "Compare its payments in Xero with the day's tenders, and remove what is wrong.",
    ),
    Refusal(
        "Account type is invalid for making a payment to/from",
        "The tender's account takes no payments.",
        "Tick 'Enable payments to this account' in Xero or name another account in the mapping, "
        "and run the day again.",
    ),
    Refusal(
        "Account could not be found",
        "The tender's account does not exist.",
        "Add the account in Xero or name another one in the mapping, and run the day again.",
    ),
    Refusal(
        "Document could not be found",
        "The document that is paid is not in this organisation any more.",
        "Look for it in Xero: a person may have deleted it.",
    ),
    Refusal(
        "You must specify an Account code or Account ID for the payment",
        "The tender has no account.",
        _MAPPING,
    ),
    Refusal("Payment is applied to more than one document", "A payment pays one.", _REPORT),
    Refusal("This payment is not applied", "The payment names no document.", _REPORT),
    Refusal(
        "Payments within a batch cannot be deleted",
        "The payment is part of a batch payment.",
        "Delete the batch payment in Xero instead.",
    ),
    Refusal(
        "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement",
        "The bank transaction is reconciled, so Xero does not let it change.",
        "Remove and redo the reconciliation in Xero first.",
    ),
    Refusal(
        "The file couldn't be uploaded because the API limit of 10 attachments has been exceeded",
        "The document has as many files as Xero keeps.",
        "Delete a file in Xero that is not needed.",
    ),
    Refusal(
        "The file couldn't be uploaded because it isn't a supported file type",
        "Xero does not take files of this type.",
        "Attach it as a PDF or a picture.",
    ),
    Refusal(
        "Please enter a unique Name",
        "Something else has this name already.",
        "Choose another name.",
    ),
    Refusal(
        "The document with the supplied id was not found for this endpoint",
        "The document is not in this organisation any more.",
        "Look for it in Xero: a person may have deleted it.",
    ),
)

ELSE: Final = "Mend that in Xero or in the mapping, and run the day again."


def refusal_of(message: str) -> Refusal | None:
    """The row of the table for one message, if it has one."""
    return next((row for row in REFUSALS if row.matches(message)), None)


def explained(messages: Sequence[str]) -> str:
    """Xero's own words, then for each message it knows the explanation and the next step."""
    known = [row for row in map(refusal_of, messages) if row is not None]
    said = [message if message.endswith(".") else f"{message}." for message in messages]
    meant = [f"{row.explanation} {row.next_step}" for row in dict.fromkeys(known)]
    return " ".join([*said, *(meant or [ELSE])])
