"""New organisations: tax rates and chart of accounts by country, and what a caller adds on top."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from daybook.sandbox import (
    accounts,
    contacts,
    currencies,
    records,
    tax_rates,
    tracking_categories,
    wire,
)
from daybook.sandbox.books import Books, Change

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from daybook.sandbox.wire import Json

ALL = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE")
NOT_EXPENSE = ("ASSET", "EQUITY", "LIABILITY", "REVENUE")
NOT_REVENUE = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY")
# tax type: name, percent, account classes
TAX_RATES: dict[str, dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "AU": {
        "OUTPUT": ("GST on Income", "10", NOT_EXPENSE),
        "INPUT": ("GST on Expenses", "10", NOT_REVENUE),
        "EXEMPTOUTPUT": ("GST Free Income", "0", NOT_EXPENSE),
        "EXEMPTEXPENSES": ("GST Free Expenses", "0", NOT_REVENUE),
        "BASEXCLUDED": ("BAS Excluded", "0", ALL),
        "INPUTTAXED": ("Input Taxed", "0", ALL),
        "GSTONIMPORTS": ("GST on Imports", "0", ("LIABILITY",)),
    },
    "NZ": {
        "OUTPUT2": ("15% GST on Income", "15", NOT_EXPENSE),
        "INPUT2": ("15% GST on Expenses", "15", NOT_REVENUE),
        "NONE": ("No GST", "0", ALL),
        "ZERORATED": ("Zero Rated", "0", ("LIABILITY", "REVENUE")),
        "GSTONIMPORTS": ("GST on Imports", "0", ("LIABILITY",)),
    },
    "GB": {
        "OUTPUT2": ("20% (VAT on Income)", "20", NOT_EXPENSE),
        "INPUT2": ("20% (VAT on Expenses)", "20", NOT_REVENUE),
        "RROUTPUT": ("5% (VAT on Income)", "5", NOT_EXPENSE),
        "RRINPUT": ("5% (VAT on Expenses)", "5", NOT_REVENUE),
        "ZERORATEDOUTPUT": ("Zero Rated Income", "0", NOT_EXPENSE),
        "ZERORATEDINPUT": ("Zero Rated Expenses", "0", NOT_REVENUE),
        "EXEMPTOUTPUT": ("Exempt Income", "0", NOT_EXPENSE),
        "EXEMPTINPUT": ("Exempt Expenses", "0", NOT_REVENUE),
        "NONE": ("No VAT", "0", ALL),
    },
    "US": {"NONE": ("Tax Exempt", "0", ALL)},
    "": {
        "OUTPUT": ("Tax on Sales", "0", NOT_EXPENSE),
        "INPUT": ("Tax on Purchases", "0", NOT_REVENUE),
        "NONE": ("Tax Exempt", "0", ALL),
        "GSTONIMPORTS": ("Tax on Imports", "0", ("LIABILITY",)),
    },
}
# How a return reports a rate; those that are not here report as nothing in particular.
REPORT_TAX_TYPES = {"OUTPUT2": "OUTPUT", "INPUT2": "INPUT"} | {
    name: name
    for name in (
        *("OUTPUT", "INPUT", "NONE", "BASEXCLUDED", "INPUTTAXED", "GSTONIMPORTS"),
        *("EXEMPTOUTPUT", "EXEMPTINPUT", "EXEMPTEXPENSES", "ZERORATEDOUTPUT", "ZERORATEDINPUT"),
    )
}
# code, name, type, kind of tax (sales, purchases, none), system account
CHART: tuple[tuple[str, str, str, str, str], ...] = (
    ("090", "Business Bank Account", "BANK", "none", ""),
    ("091", "Business Savings Account", "BANK", "none", ""),
    ("200", "Sales", "REVENUE", "sales", ""),
    ("260", "Other Revenue", "REVENUE", "sales", ""),
    ("270", "Interest Income", "REVENUE", "none", ""),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "purchases", ""),
    ("320", "Direct Wages", "DIRECTCOSTS", "none", ""),
    ("325", "Direct Expenses", "DIRECTCOSTS", "purchases", ""),
    ("400", "Advertising & Marketing", "EXPENSE", "purchases", ""),
    ("401", "Audit & Accountancy", "EXPENSE", "purchases", ""),
    ("404", "Bank Fees", "EXPENSE", "none", ""),
    ("408", "Cleaning", "EXPENSE", "purchases", ""),
    ("412", "Consulting", "EXPENSE", "purchases", ""),
    ("416", "Depreciation", "EXPENSE", "none", ""),
    ("420", "Entertainment", "EXPENSE", "purchases", ""),
    ("425", "Postage & Freight", "EXPENSE", "purchases", ""),
    ("429", "General Expenses", "EXPENSE", "purchases", ""),
    ("433", "Insurance", "EXPENSE", "purchases", ""),
    ("437", "Interest Paid", "EXPENSE", "none", ""),
    ("441", "Legal Expenses", "EXPENSE", "purchases", ""),
    ("445", "Light, Power & Heating", "EXPENSE", "purchases", ""),
    ("449", "Motor Vehicle Expenses", "EXPENSE", "purchases", ""),
    ("453", "Office Expenses", "EXPENSE", "purchases", ""),
    ("461", "Printing & Stationery", "EXPENSE", "purchases", ""),
    ("463", "Software", "EXPENSE", "purchases", ""),
    ("469", "Rent", "EXPENSE", "purchases", ""),
    ("473", "Repairs & Maintenance", "EXPENSE", "purchases", ""),
    ("477", "Salaries", "EXPENSE", "none", ""),
    ("485", "Subscriptions", "EXPENSE", "purchases", ""),
    ("489", "Telephone & Internet", "EXPENSE", "purchases", ""),
    ("493", "Travel - National", "EXPENSE", "purchases", ""),
    ("494", "Travel - International", "EXPENSE", "none", ""),
    ("610", "Accounts Receivable", "CURRENT", "none", "DEBTORS"),
    ("620", "Prepayments", "CURRENT", "none", ""),
    ("630", "Inventory", "INVENTORY", "none", ""),
    ("710", "Office Equipment", "FIXED", "purchases", ""),
    ("800", "Accounts Payable", "CURRLIAB", "none", "CREDITORS"),
    ("820", "Sales Tax", "CURRLIAB", "none", "GST"),
    ("840", "Historical Adjustment", "CURRLIAB", "none", "HISTORICAL"),
    ("850", "Suspense", "CURRLIAB", "none", ""),
    ("860", "Rounding", "CURRLIAB", "none", "ROUNDING"),
    ("877", "Tracking Transfers", "CURRLIAB", "none", "TRACKINGTRANSFERS"),
    ("960", "Retained Earnings", "EQUITY", "none", "RETAINEDEARNINGS"),
    ("970", "Owner Funds Introduced", "EQUITY", "none", ""),
)
CLEARING = (
    ("880", "Cash Clearing"),
    ("881", "Card Clearing"),
    ("882", "Gift Card Clearing"),
    ("883", "EBT Clearing"),
    ("884", "Other Tender Clearing"),
)
TAX_OF_KIND = {
    "sales": ("OUTPUT2", "OUTPUT", "NONE"),
    "purchases": ("INPUT2", "INPUT", "NONE"),
    "none": ("NONE", "BASEXCLUDED"),
}
CURRENCY_OF = {"AU": "AUD", "NZ": "NZD", "GB": "GBP", "US": "USD", "SG": "SGD", "MY": "MYR"}
TIME_ZONE_OF = {
    "AU": "Australia/Sydney",
    "NZ": "Pacific/Auckland",
    "GB": "Europe/London",
    "US": "America/New_York",
    "SG": "Asia/Singapore",
    "MY": "Asia/Kuala_Lumpur",
}


class Seeder:
    """Builds books with ids from one source and timestamps of one moment."""

    def __init__(self, new_id: Callable[[], str], now: datetime, changes: list[Change]) -> None:
        """Remember where ids, time and the change list come from."""
        self._new_id = new_id
        self._now = now
        self._changes = changes

    def new_books(self, tenant_id: str, given: Json) -> Books:
        """Return the books of a new organisation with tax rates and chart of its country."""
        country = given.get("country", "NZ")
        organisation = records.Organisation(
            id=tenant_id,
            name=given.get("name", "New Organisation"),
            country=country,
            currency=given.get("currency", CURRENCY_OF.get(country, "USD")),
            time_zone=given.get("timezone", TIME_ZONE_OF.get(country, "UTC")),
            plan=given.get("class", "COMPREHENSIVE"),
            short_code="!" + self._new_id()[:5],
            created_at=self._now,
            is_demo=given.get("isdemo", False),
        )
        books = Books(organisation, self._changes)
        books.organisation_changed()
        currencies.subscribe(books, organisation.currency)
        rates = TAX_RATES.get(country, TAX_RATES[""])
        for tax_type, (name, percent, classes) in rates.items():
            books.tax_rates.put(_rate(tax_type, name, percent, classes))
        for row in CHART:
            self._put_account(books, *row)
        for code, name in CLEARING:
            self._put_account(books, code, name, "CURRENT", "none", "")
        return books

    def _put_account(
        self, books: Books, code: str, name: str, kind: str, tax: str, system: str
    ) -> None:
        """Store one account of the default chart."""
        tax_type = next(name for name in TAX_OF_KIND[tax] if name in books.tax_rates.rows)
        is_bank = kind == "BANK"
        books.accounts.put(
            records.Account(
                id=self._new_id(),
                code=code,
                name=name,
                type=kind,
                updated_at=self._now,
                tax_type=tax_type,
                system_account=system,
                enable_payments=name.endswith("Clearing") or code == "970",
                bank_account_type="BANK" if is_bank else "",
                bank_account_number=f"12-3456-0{code}789-00" if is_bank else "",
                currency=books.organisation.currency if is_bank else "",
            )
        )

    def update(self, books: Books, given: Json) -> None:
        """Set or add what a caller names; what is there already is changed, the rest stays.

        Raises:
            Invalid: a rule of Xero's is broken.
        """
        self._update_organisation(books, given)
        for code in given.get("currencies", []):
            currencies.subscribe(books, str(code))
        for element in given.get("taxrates", []):
            self._update_tax_rate(books, tax_rates.FIELDS.read(_plain(element)))
        for element in given.get("accounts", []):
            self._update_account(books, accounts.FIELDS.read(_plain(element)))
        for element in given.get("trackingcategories", []):
            self._update_category(books, element)
        for element in given.get("contacts", []):
            fields = {"name": element} if isinstance(element, str) else _plain(element)
            self._update_contact(books, contacts.FIELDS.read(fields))

    def _update_organisation(self, books: Books, given: Json) -> None:
        organisation = books.organisation
        organisation.name = given.get("name", organisation.name)
        organisation.plan = given.get("class") or given.get("plan") or organisation.plan
        organisation.time_zone = given.get("timezone", organisation.time_zone)
        for key, field in (
            ("periodlockdate", "period_lock_date"),
            ("endofyearlockdate", "end_of_year_lock_date"),
        ):
            if key in given:
                value = given[key]
                setattr(organisation, field, wire.calendar_date(value) if value else None)
        books.organisation_changed()

    def _update_account(self, books: Books, fields: Json) -> None:
        known = next(iter(books.accounts.find("code", fields.get("Code", ""))), None)
        if known is None:
            account = accounts.new_account(books, fields, self._new_id(), self._now)
            account.system_account = fields.get("SystemAccount", "")
            books.accounts.put(account)
        elif known.system_account:
            known.name = fields.get("Name", known.name)
            books.accounts.put(known)
        else:
            changed = {name: value for name, value in fields.items() if name != "Status"}
            account = accounts.updated_account(books, known, changed, self._now)
            account.status = fields.get("Status", account.status)
            books.accounts.put(account)

    def _update_tax_rate(self, books: Books, fields: Json) -> None:
        tax_type = fields.get("TaxType", "")
        known = books.tax_rates.get(tax_type)
        if known is not None:
            del books.tax_rates.rows[tax_type]
        tax_rates.create_tax_rate(books, fields, tax_type)

    def _update_category(self, books: Books, element: Json) -> None:
        fields = _plain(element)
        names = [
            option if isinstance(option, str) else _plain(option).get("name", "")
            for option in fields.get("options", [])
        ]
        found = books.tracking_categories.find("name", str(fields.get("name", "")).lower())
        if not found:
            given = {"Name": fields.get("name", ""), "Options": [{"Name": name} for name in names]}
            tracking_categories.create_category(books, given, self._new_id)
            return
        for name in names:
            if books.option_by_name(found[0], name) is None:
                tracking_categories.add_option(books, found[0], name, self._new_id)

    def _update_contact(self, books: Books, fields: Json) -> None:
        known = contacts.match(books, fields)
        if known is None:
            books.contacts.put(contacts.new_contact(books, fields, self._new_id(), self._now))
        else:
            books.contacts.put(contacts.updated_contact(books, known, fields, self._now))


def _rate(tax_type: str, name: str, percent: str, classes: tuple[str, ...]) -> records.TaxRate:
    rate = Decimal(percent)
    return records.TaxRate(
        id=tax_type,
        name=name,
        components=[records.TaxComponent(name=name, rate=rate)],
        applies_to=list(classes),
        report_tax_type=REPORT_TAX_TYPES.get(tax_type, ""),
        rate=wire.round4(rate),
    )


def _plain(element: Json) -> Json:
    """Accept snake_case as well as Xero's spelling of field names."""
    return plain_keys(element)


def plain_keys(element: Json) -> Json:
    """Return an object with lower-case keys without underscores."""
    return {str(key).replace("_", "").lower(): value for key, value in element.items()}
