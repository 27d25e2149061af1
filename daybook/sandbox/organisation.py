"""The organisation itself: what it is, where it locks, what the connected user may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.sandbox import wire
from daybook.sandbox.currencies import SINGLE_CURRENCY_PLANS
from daybook.sandbox.routing import Route

if TYPE_CHECKING:
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

VERSIONS = {"AU": "AU", "NZ": "NZ", "GB": "UK", "US": "US"}
TIME_ZONES = {
    "Pacific/Auckland": "NEWZEALANDSTANDARDTIME",
    "Australia/Sydney": "AUSEASTERNSTANDARDTIME",
    "Europe/London": "GMTSTANDARDTIME",
    "America/New_York": "EASTERNSTANDARDTIME",
    "Asia/Singapore": "SINGAPORESTANDARDTIME",
    "UTC": "UTC",
}
ACTIONS = (
    "CreateApprovedInvoice",
    "CreateDraftInvoice",
    "CreateInvoicePayment",
    "AttachFilesIntoInvoice",
    "CreateApprovedBill",
    "CreateDraftBill",
    "CreateBillPayment",
    "AttachFilesIntoBill",
    "CreateCreditNote",
    "CreateSpendMoneyTransaction",
    "UseMulticurrency",
    "ApproveTransactionsBeforePeriodLockDate",
)


def get_organisation(call: Call) -> Reply:
    """GET /Organisation."""
    return call.reply(Organisations=[_json(call)])


def get_actions(call: Call) -> Reply:
    """GET /Organisation/Actions."""
    refused = {"ApproveTransactionsBeforePeriodLockDate"}
    if call.books.organisation.plan in SINGLE_CURRENCY_PLANS:
        refused.add("UseMulticurrency")
    actions = [
        {"Name": name, "Status": "NOT-ALLOWED" if name in refused else "ALLOWED"}
        for name in ACTIONS
    ]
    return call.reply(Actions=actions)


def _json(call: Call) -> Json:
    row = call.books.organisation
    element: Json = {
        "Name": row.name,
        "LegalName": row.name,
        "PaysTax": True,
        "Version": VERSIONS.get(row.country, "GLOBAL"),
        "OrganisationType": "COMPANY",
        "BaseCurrency": row.currency,
        "CountryCode": row.country,
        "IsDemoCompany": row.is_demo,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3 if row.country in {"NZ", "GB"} else 12,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "MONTHLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
    }
    if row.period_lock_date is not None:
        element["PeriodLockDate"] = wire.day(row.period_lock_date)
    if row.end_of_year_lock_date is not None:
        element["EndOfYearLockDate"] = wire.day(row.end_of_year_lock_date)
    zone = TIME_ZONES.get(row.time_zone, row.time_zone.rpartition("/")[2].replace("_", ""))
    return element | {
        "CreatedDateUTC": wire.instant(row.created_at, offset=False),
        "OrganisationEntityType": "COMPANY",
        "Timezone": zone.upper(),
        "ShortCode": row.short_code,
        "OrganisationID": row.id,
        "Edition": "BUSINESS",
        "Class": row.plan,
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }


_SCOPE = "accounting.settings"
ROUTES = (
    Route("GET", "/Organisation", _SCOPE, get_organisation),
    Route("GET", "/Organisation/Actions", _SCOPE, get_actions),
)
