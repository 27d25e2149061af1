"""Loyverse: receipts over its API, dated by the till's own clock. `docs/loyverse.md` has the rules.

Amounts are JSON numbers in major units, read as exact decimals. Refunds are positive there and
negative here. Lines, taxes and payments are taken as they are: a receipt that does not balance
holds its day.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from daybook.errors import InputError
from daybook.money import minor_digits
from daybook.pos.api_pages import HistoryClosed, PageDecoder, ReadOptions, iso, one_ahead
from daybook.pos.cells import shown
from daybook.pos.receipt_rows import Head, Instants, ReceiptRows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from daybook.pos.api_pages import ApiPage, PosApi, Unread
    from daybook.pos.receipt_rows import Line, Tender
    from daybook.pos.source import Page
    from daybook.sales.store import Store

_RECEIPTS: Final = "/v1.0/receipts"
_CALL_LIMIT_MAX: Final = 250
_HISTORY: Final = dt.timedelta(days=31)
_DAY: Final = dt.timedelta(days=1)
_AMOUNT_MAX: Final = Decimal(10) ** 12
_AMOUNTS_KEPT_MAX: Final = 100_000
_SIGNS: Final = {"SALE": 1, "REFUND": -1}

NO_TAX: Final = "No tax"
TIPS: Final = "Tips"
SURCHARGE: Final = "Surcharge"
POINTS: Final = "Loyalty points"


class _Tax(msgspec.Struct, gc=False):
    type: str
    money_amount: Decimal
    name: str | None = None
    rate: Decimal | None = None


class _Item(msgspec.Struct, gc=False):
    total_money: Decimal
    item_name: str | None = None
    gross_total_money: Decimal | None = None
    total_discount: Decimal | None = None
    line_taxes: tuple[_Tax, ...] | None = None


class _Payment(msgspec.Struct, gc=False):
    money_amount: Decimal
    name: str | None = None
    type: str | None = None


class _Receipt(msgspec.Struct, gc=False):
    receipt_number: Annotated[str, msgspec.Meta(min_length=1)]
    receipt_type: str
    store_id: str
    receipt_date: str
    updated_at: str
    cancelled_at: str | None = None
    total_tax: Decimal | None = None
    tip: Decimal | None = None
    surcharge: Decimal | None = None
    points_deducted: Decimal | None = None
    line_items: tuple[_Item, ...] | None = None
    payments: tuple[_Payment, ...] | None = None


_DECODE: Final = PageDecoder(
    _Receipt,
    "receipts",
    "receipt_number",
    place_name="store_id",
    time_names=("receipt_date",),
)


class LoyverseSource:
    """One Loyverse account; `store_ids` gives the store of each Loyverse store's id."""

    def __init__(
        self, api: PosApi, store_ids: Mapping[str, str], options: ReadOptions | None = None
    ) -> None:
        """Remember what to read; nothing is asked yet."""
        self._api = api
        self._store_ids = dict(store_ids)
        self._options = options or ReadOptions()

    @property
    def name(self) -> str:
        """The API's place."""
        return f"Loyverse at {self._api.url}"

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        """The stores' receipts of the window, as far as Loyverse still gives them out.

        Raises:
            InputError: a store has no Loyverse store, or the dates lie behind the history wall.
            Unavailable: Loyverse did not answer in time.
        """
        window = Instants.of(stores, first_date, last_date)
        reader = _Reader(
            {
                theirs: store
                for theirs, ours in self._store_ids.items()
                for store in stores
                if store.store_id == ours
            },
            self._options,
        )
        self._check_stores(stores)
        strangers = _Strangers(self._store_ids, known_store_ids)
        rows = self._new_rows(window)
        try:
            for page in self._pages(reader.stores, window):
                for unread in page.unreadable:
                    if unread.place is None or unread.place in reader.stores:
                        _reject(unread, reader.stores, rows)
                    else:
                        strangers.note(unread.place, rows)
                for receipt in page.items:
                    if receipt.store_id in reader.stores:
                        reader.read(receipt, rows)
                    else:
                        strangers.note(receipt.store_id, rows)
                if len(rows.heads) >= self._options.page_receipts:
                    yield rows.page()
                    rows = self._new_rows(window)
        except HistoryClosed:
            raise self._wall(stores, first_date, last_date) from None
        if rows.heads or rows.rejects:
            yield rows.page()

    def _new_rows(self, window: Instants) -> ReceiptRows:
        return ReceiptRows(self._api.url.rstrip("/") + _RECEIPTS, window)

    def _check_stores(self, stores: Sequence[Store]) -> None:
        for store in stores:
            if store.store_id not in self._store_ids.values():
                raise InputError(
                    f"Store {store.store_id} has no Loyverse store; add the id of its store at "
                    "Loyverse, which stands in the address of the store's page in the Back Office."
                )

    def _pages(self, asked: Collection[str], window: Instants) -> Iterator[ApiPage[_Receipt]]:
        """One listing where all stores are asked for, else one for each."""
        listings = [None] if set(asked) == set(self._store_ids) else sorted(asked)
        since = self._options.since(window.start_at)
        for theirs in listings:
            try:
                yield from one_ahead(partial(self._fetch, theirs, since))
            except HistoryClosed:
                if since >= window.start_at:
                    raise
                # The wall may stand within the overlap: the dates themselves are then still open.
                yield from one_ahead(partial(self._fetch, theirs, window.start_at))

    def _fetch(
        self, theirs: str | None, since: dt.datetime, cursor: str | None
    ) -> ApiPage[_Receipt]:
        limit = min(self._options.call_limit, _CALL_LIMIT_MAX)
        params = {"updated_at_min": iso(since), "limit": str(limit)}
        if theirs is not None:
            params["store_id"] = theirs
        if cursor is not None:
            params["cursor"] = cursor
        return self._api.read(_RECEIPTS, _DECODE, params=params)

    def _wall(self, stores: Sequence[Store], first_date: dt.date, last_date: dt.date) -> InputError:
        """What a person can do about dates that Loyverse does not give out."""
        wall_at = self._api.clock.now() - _HISTORY
        open_date = first_date
        while (
            open_date <= last_date and Instants.of(stores, open_date, open_date).start_at < wall_at
        ):
            open_date += _DAY
        closed_date = min(max(open_date - _DAY, first_date), last_date)
        advice = (
            f"Ask for {open_date} to {last_date} only, and t" if open_date <= last_date else "T"
        )
        return InputError(
            f"Loyverse gives out receipts of the last 31 days alone, so {first_date} to "
            f"{closed_date} cannot be read. {advice}ake the older dates from files exported in the "
            "Back Office, or add Unlimited Sales History at Loyverse and read again."
        )


def _reject(unread: Unread, stores: Mapping[str, Store], rows: ReceiptRows) -> None:
    """Say that a receipt could not be read, if it may be of the window; without a store, of any."""
    if unread.time is not None and not rows.window.may_hold(unread.time):
        return
    store_id = stores[unread.place].store_id if unread.place is not None else None
    rows.reject(unread.item_id, "", unread.reason, store_id=store_id, sold_at=unread.time)


class _Strangers:
    """Receipts of stores nobody configured: a reject once per store."""

    def __init__(
        self, store_ids: Mapping[str, str], known_store_ids: Collection[str] | None
    ) -> None:
        self._silent = {
            theirs
            for theirs, ours in store_ids.items()
            if known_store_ids is None or ours in known_store_ids
        }
        self._is_strict = known_store_ids is not None

    def note(self, theirs: str, rows: ReceiptRows) -> None:
        """Say that this store is unknown, unless it was said before."""
        if self._is_strict and theirs not in self._silent:
            self._silent.add(theirs)
            rows.reject_store(theirs)


class _Unreadable(Exception):
    """Why a receipt is left out: column and reason."""


class _Reader:
    """Turns receipts of these stores, by their Loyverse ids, into rows."""

    def __init__(self, stores: Mapping[str, Store], options: ReadOptions) -> None:
        self.stores = stores
        self._categories = options.categories
        self._default_category = options.default_category
        self._amounts = {store.currency: _Amounts(store.currency) for store in stores.values()}
        self._tax_codes: dict[tuple[str | None, Decimal | None], str] = {}

    def read(self, receipt: _Receipt, rows: ReceiptRows) -> None:
        """Add the receipt to the rows, or the reason why not."""
        store = self.stores[receipt.store_id]
        minor = self._amounts[store.currency]
        try:
            sign = _sign(receipt)
            lines = self._lines(receipt, sign, minor)
            tenders = _tenders(receipt, sign, minor)
        except (_Unreadable, TypeError) as error:
            # An amount that is no number at all (sNaN) cannot even be looked up.
            why = error.args if isinstance(error, _Unreadable) else ("", "An amount is no number.")
            if rows.window.may_hold(receipt.receipt_date):
                rows.reject(
                    receipt.receipt_number,
                    *why,
                    store_id=store.store_id,
                    sold_at=receipt.receipt_date,
                )
            return
        head = Head(
            store.store_id,
            receipt.receipt_number,
            receipt.receipt_date,
            receipt.updated_at,
            store.currency,
            sign < 0,
            receipt.cancelled_at is not None,
        )
        rows.add(head, lines, tenders)

    def _lines(self, receipt: _Receipt, sign: int, minor: _Amounts) -> list[Line]:
        lines: list[Line] = []
        tax_sum = 0
        for item in receipt.line_items or ():
            line = self._line(item, sign, minor)
            tax_sum += line[3]
            lines.append(line)
        if receipt.total_tax is not None and sign * minor[receipt.total_tax] != tax_sum:
            raise _Unreadable(
                "total_tax",
                f"It says {receipt.total_tax}, but the taxes of its lines come to "
                f"{minor.shown(sign * tax_sum)}.",
            )
        if receipt.tip:
            lines.append((TIPS, NO_TAX, sign * minor[receipt.tip], 0, 0))
        if receipt.surcharge:
            lines.append((SURCHARGE, NO_TAX, sign * minor[receipt.surcharge], 0, 0))
        return lines

    def _line(self, item: _Item, sign: int, minor: _Amounts) -> Line:
        discount = minor[item.total_discount] if item.total_discount else 0
        total = minor[item.total_money]
        category = self._categories.get(item.item_name or "", self._default_category)
        taxes = item.line_taxes
        if not taxes:
            return category, NO_TAX, sign * total, 0, sign * discount
        included = added = 0
        for tax in taxes:
            if tax.type == "INCLUDED":
                included += minor[tax.money_amount]
            elif tax.type == "ADDED":
                added += minor[tax.money_amount]
            else:
                raise _Unreadable("line_taxes", f"'{tax.type}' is not a known type of tax.")
        if added:
            total += _missing_tax(item, total, discount, added=added, minor=minor)
        tax_minor = included + added
        code = self._tax_code(taxes)
        return category, code, sign * (total - tax_minor), sign * tax_minor, sign * discount

    def _tax_code(self, taxes: tuple[_Tax, ...]) -> str:
        """The taxes' names with their rates, so that an old and a new rate never mix: GST 9%."""
        if len(taxes) > 1:
            return " + ".join(sorted(self._tax_code((tax,)) for tax in taxes))
        (tax,) = taxes
        key = (tax.name, tax.rate)
        code = self._tax_codes.get(key)
        if code is None:
            rate = "" if tax.rate is None else f" {tax.rate.normalize():f}%"
            code = self._tax_codes[key] = f"{(tax.name or 'Tax').strip()}{rate}"
        return code


def _sign(receipt: _Receipt) -> int:
    sign = _SIGNS.get(receipt.receipt_type)
    if sign is None:
        raise _Unreadable("receipt_type", f"{shown(receipt.receipt_type)} is not a known type.")
    return sign


class _Amounts(dict[Decimal, int]):
    """Amounts of one currency in minor units; each is worked out when first looked up."""

    def __init__(self, currency: str) -> None:
        super().__init__()
        self._currency = currency
        self._digits = minor_digits(currency)

    def __missing__(self, amount: Decimal) -> int:
        """The minor units.

        Raises:
            _Unreadable: it is not exact in this currency.
        """
        if not amount.is_finite() or abs(amount) > _AMOUNT_MAX:
            raise _Unreadable("", f"{shown(str(amount))} is not an amount.")
        scaled = amount.scaleb(self._digits)
        minor = int(scaled)
        if minor != scaled:
            raise _Unreadable(
                "",
                f"{shown(str(amount))} has more decimals than {self._currency}, "
                f"which has {self._digits}.",
            )
        if len(self) >= _AMOUNTS_KEPT_MAX:
            self.clear()
        self[amount] = minor
        return minor

    def shown(self, minor: int) -> str:
        """The amount as a sentence says it."""
        return f"{Decimal(minor).scaleb(-self._digits):f}"


def _missing_tax(item: _Item, total: int, discount: int, *, added: int, minor: _Amounts) -> int:
    """The tax added on top of the price, where `total_money` leaves it out; else nothing."""
    if item.gross_total_money is not None:
        before_tax = minor[item.gross_total_money] - discount
        if total == before_tax + added:
            return 0
        if total == before_tax:
            return added
    raise _Unreadable(
        "line_items",
        f"{shown(item.item_name or '')} comes to {item.total_money}, which is neither with nor "
        "without the tax added to its price.",
    )


def _tenders(receipt: _Receipt, sign: int, minor: _Amounts) -> list[Tender]:
    tenders = [
        (payment.name or payment.type or "", sign * minor[payment.money_amount])
        for payment in receipt.payments or ()
    ]
    if receipt.points_deducted:
        tenders.append((POINTS, sign * minor[receipt.points_deducted]))
    return tenders
