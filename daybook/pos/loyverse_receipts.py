"""Loyverse's receipts on the wire, and the lines and tenders of many at once. Pure.

A call brings 250 receipts with some 600 lines. They are worked out column by column, and amounts
stay the bytes they came as until they are looked up: to make a `Decimal` of each, and its hash,
would take longer than everything else together.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
import numpy as np

from daybook.money import minor_digits
from daybook.pos.cells import shown
from daybook.pos.receipt_rows import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from daybook.pos.api_pages import ReadOptions

    Minor = NDArray[np.int64]
    Names = NDArray[np.object_]

_Value = TypeVar("_Value")
_AMOUNT_MAX: Final = Decimal(10) ** 12
_AMOUNTS_KEPT_MAX: Final = 100_000
_RATE_MAX: Final = 1000
_REFUND: Final = "REFUND"
_TYPES: Final = frozenset({"SALE", _REFUND})
_ADDED: Final = "ADDED"
_TAX_TYPES: Final = frozenset({"INCLUDED", _ADDED})

NO_TAX: Final = "No tax"
TIPS: Final = "Tips"
SURCHARGE: Final = "Surcharge"
POINTS: Final = "Loyalty points"


_NULL: Final = b"null"
_ABSENT: Final = msgspec.Raw(_NULL)
_decode_amount: Final = msgspec.json.Decoder(Decimal).decode
_decode_rate: Final = msgspec.json.Decoder(Decimal | None).decode


class Unreadable(Exception):
    """Why a receipt is left out: column and reason."""


class Tax(msgspec.Struct, gc=False):
    """A tax of a line."""

    type: str
    money_amount: msgspec.Raw
    name: str | None = None
    rate: msgspec.Raw = _ABSENT


class Item(msgspec.Struct, gc=False):
    """A line."""

    total_money: msgspec.Raw
    item_name: str | None = None
    gross_total_money: msgspec.Raw = _ABSENT
    total_discount: msgspec.Raw = _ABSENT
    line_taxes: tuple[Tax, ...] | None = None


class Payment(msgspec.Struct, gc=False):
    """How some of the receipt was paid."""

    money_amount: msgspec.Raw
    name: str | None = None
    type: str | None = None


class Receipt(msgspec.Struct, gc=False):
    """What Daybook reads of a receipt."""

    receipt_number: Annotated[str, msgspec.Meta(min_length=1)]
    receipt_type: str
    store_id: str
    receipt_date: str
    updated_at: str
    cancelled_at: str | None = None
    total_tax: msgspec.Raw = _ABSENT
    tip: Decimal | None = None
    surcharge: Decimal | None = None
    points_deducted: Decimal | None = None
    line_items: tuple[Item, ...] | None = None
    payments: tuple[Payment, ...] | None = None


class _Taxes(NamedTuple):
    """Of each line: all its tax, how much of it comes on top of the price, what it is called."""

    tax: Minor
    added: Minor
    codes: list[str]


class _Extra(NamedTuple):
    """An amount that a receipt has beside its items or payments."""

    owner: int
    name: str
    minor: int


class Blocks:
    """Takes receipts apart; what taxes are called and what amounts come to is worked out once."""

    def __init__(self, options: ReadOptions, currencies: Iterable[str]) -> None:
        """Remember how lines are sorted into categories."""
        self._categories: dict[str | None, str] = dict(options.categories.items())
        self._default = options.default_category
        self._amounts = {currency: _Money.of(currency) for currency in currencies}
        self._labels = _Labels()

    def of(self, receipts: Sequence[Receipt], currency: str) -> Parts:
        """The lines and tenders of receipts in one currency; those of refunds are negative.

        Raises:
            Unreadable: one of them has something that is not known, or does not come to its own
                totals. The reason is one receipt's own only where it is alone.
        """
        minor = self._amounts[currency]
        unknown = {receipt.receipt_type for receipt in receipts} - _TYPES
        if unknown:
            raise Unreadable("receipt_type", f"{shown(min(unknown))} is not a known type.")
        is_refund = np.array([receipt.receipt_type == _REFUND for receipt in receipts], dtype=bool)
        signs = np.where(is_refund, -1, 1)
        line_owner, lines = self._lines(receipts, minor)
        tender_owner, tenders = _tenders(receipts, minor)
        category, code, net, tax, discount = lines
        sign = signs[line_owner]
        tender, amount = tenders
        return Parts(
            is_refund.tolist(),
            _counts(line_owner, receipts),
            (
                category.tolist(),
                code.tolist(),
                (net * sign).tolist(),
                (tax * sign).tolist(),
                (discount * sign).tolist(),
            ),
            _counts(tender_owner, receipts),
            (tender.tolist(), (amount * signs[tender_owner]).tolist()),
        )

    def _lines(
        self, receipts: Sequence[Receipt], minor: _Money
    ) -> tuple[Minor, list[NDArray[Any]]]:
        """Whose each line is, and the columns, with Loyverse's own signs."""
        amount, optional = minor.amount, minor.optional
        items, counts = _flat([receipt.line_items for receipt in receipts])
        total = _int64([amount[bytes(item.total_money)] for item in items])
        discount = _int64([optional[bytes(item.total_discount)] for item in items])
        tax, added, codes = self._taxes(items, minor)
        total += _left_out(items, total, discount, added=added, minor=minor)
        _check_tax(receipts, _sums(tax, counts), minor)
        names, default = self._categories, self._default
        categories = [names.get(item.item_name, default) for item in items]
        extras = [
            _Extra(owner, name, amount.minor(extra))
            for owner, receipt in enumerate(receipts)
            for name, extra in ((TIPS, receipt.tip), (SURCHARGE, receipt.surcharge))
            if extra
        ]
        nothing = [0] * len(extras)
        return _in_order(
            counts,
            [_objects(categories), _objects(codes), total - tax, tax, discount],
            extras,
            [
                _objects([extra.name for extra in extras]),
                _objects([NO_TAX] * len(extras)),
                _int64([extra.minor for extra in extras]),
                _int64(nothing),
                _int64(nothing),
            ],
        )

    def _taxes(self, items: Sequence[Item], minor: _Money) -> _Taxes:
        taxes, counts = _flat([item.line_taxes for item in items])
        types = [tax.type for tax in taxes]
        unknown = set(types) - _TAX_TYPES
        if unknown:
            raise Unreadable("line_taxes", f"'{min(unknown)}' is not a known type of tax.")
        minor_of = minor.amount
        amount = _int64([minor_of[bytes(tax.money_amount)] for tax in taxes])
        is_added = np.array([one == _ADDED for one in types], dtype=bool)
        known = self._labels
        labels = iter([known[tax.name, bytes(tax.rate)] for tax in taxes])
        codes = [
            NO_TAX
            if not count
            else next(labels)
            if count == 1
            else " + ".join(sorted(islice(labels, count)))
            for count in counts.tolist()
        ]
        return _Taxes(_sums(amount, counts), _sums(np.where(is_added, amount, 0), counts), codes)


class _Labels(dict[tuple[str | None, bytes], str]):
    """A tax's name with its rate, so that an old and a new rate never mix: GST 9%."""

    def __missing__(self, tax: tuple[str | None, bytes]) -> str:
        name, said = tax
        rate = _decoded(_decode_rate, said)
        if rate is not None and not (rate.is_finite() and abs(rate) <= _RATE_MAX):
            raise Unreadable("line_taxes", f"{shown(str(rate))} is not a rate.")
        shown_rate = "" if rate is None else f" {rate.normalize():f}%"
        label = self[tax] = f"{(name or 'Tax').strip()}{shown_rate}"
        return label


class _Amounts(dict[bytes, int]):
    """Amounts of one currency, as they are written, in minor units.

    Each is worked out when it is first looked up.
    """

    def __init__(self, currency: str, known: Mapping[bytes, int]) -> None:
        super().__init__(known)
        self._known = known
        self._currency = currency
        self._digits = minor_digits(currency)

    def __missing__(self, said: bytes) -> int:
        """The minor units.

        Raises:
            Unreadable: it is no amount, or not exact in this currency.
        """
        minor = self.minor(_decoded(_decode_amount, said))
        if len(self) >= _AMOUNTS_KEPT_MAX:
            self.clear()
            self.update(self._known)
        self[said] = minor
        return minor

    def minor(self, amount: Decimal) -> int:
        """The minor units of an amount.

        Raises:
            Unreadable: it is not exact in this currency.
        """
        if not amount.is_finite() or abs(amount) > _AMOUNT_MAX:
            raise Unreadable("", f"{shown(str(amount))} is not an amount.")
        scaled = amount.scaleb(self._digits)
        minor = int(scaled)
        if minor != scaled:
            raise Unreadable(
                "",
                f"{shown(str(amount))} has more decimals than {self._currency}, "
                f"which has {self._digits}.",
            )
        return minor

    def shown(self, minor: int) -> str:
        """The amount as a sentence says it."""
        return f"{Decimal(minor).scaleb(-self._digits):f}"


class _Money(NamedTuple):
    """Amounts that must be there, and those that may be missing, which are nothing then."""

    amount: _Amounts
    optional: _Amounts

    @classmethod
    def of(cls, currency: str) -> _Money:
        """Amounts of this currency."""
        return cls(_Amounts(currency, {}), _Amounts(currency, {_NULL: 0}))


def _decoded(decode: Callable[[bytes], _Value], said: bytes) -> _Value:
    try:
        return decode(said)
    except msgspec.DecodeError as error:
        raise Unreadable("", f"An amount cannot be read: {error}.") from None


def _said(raw: msgspec.Raw) -> str:
    return bytes(raw).decode()


def _left_out(
    items: Sequence[Item], total: Minor, discount: Minor, *, added: Minor, minor: _Money
) -> Minor:
    """Of each line: the tax added on top of the price, where `total_money` leaves it out."""
    result = np.zeros_like(total)
    places = np.flatnonzero(added)
    some = [items[place] for place in places.tolist()]
    gross = [bytes(item.gross_total_money) for item in some]
    before_tax = _int64([minor.optional[one] for one in gross]) - discount[places]
    is_without = total[places] == before_tax
    is_with = total[places] == before_tax + added[places]
    is_known = np.array([one != _NULL for one in gross], dtype=bool)
    is_bad = ~((is_with | is_without) & is_known)
    if is_bad.any():
        item = some[int(np.argmax(is_bad))]
        raise Unreadable(
            "line_items",
            f"{shown(item.item_name or '')} comes to {_said(item.total_money)}, which is neither "
            "with nor without the tax added to its price.",
        )
    result[places] = np.where(is_with, 0, added[places])
    return result


def _check_tax(receipts: Sequence[Receipt], taxes: Minor, minor: _Money) -> None:
    """Hold what each receipt says of its tax against its lines."""
    for receipt, tax in zip(receipts, taxes.tolist(), strict=True):
        said = bytes(receipt.total_tax)
        if said != _NULL and minor.amount[said] != tax:
            raise Unreadable(
                "total_tax",
                f"It says {_said(receipt.total_tax)}, but the taxes of its lines come to "
                f"{minor.amount.shown(tax)}.",
            )


def _tenders(receipts: Sequence[Receipt], minor: _Money) -> tuple[Minor, list[NDArray[Any]]]:
    """Whose each tender is, and the columns, with Loyverse's own signs."""
    payments, counts = _flat([receipt.payments for receipt in receipts])
    names = [payment.name or payment.type or "" for payment in payments]
    minor_of = minor.amount
    amounts = [minor_of[bytes(payment.money_amount)] for payment in payments]
    extras = [
        _Extra(owner, POINTS, minor_of.minor(receipt.points_deducted))
        for owner, receipt in enumerate(receipts)
        if receipt.points_deducted
    ]
    return _in_order(
        counts,
        [_objects(names), _int64(amounts)],
        extras,
        [
            _objects([extra.name for extra in extras]),
            _int64([extra.minor for extra in extras]),
        ],
    )


def _in_order(
    counts: Minor,
    columns: list[NDArray[Any]],
    extras: Sequence[_Extra],
    extra_columns: list[NDArray[Any]],
) -> tuple[Minor, list[NDArray[Any]]]:
    """Whose each row is, and the columns, with the extras behind the other rows of their owner."""
    owner = np.repeat(np.arange(len(counts)), counts)
    if not extras:
        return owner, columns
    owner = np.concatenate([owner, _int64([extra.owner for extra in extras])])
    order = np.argsort(owner, kind="stable")
    joined = zip(columns, extra_columns, strict=True)
    return owner[order], [np.concatenate(pair)[order] for pair in joined]


def _flat(groups: Sequence[tuple[Any, ...] | None]) -> tuple[list[Any], Minor]:
    """All members one after the other, and how many each group has."""
    members = [member for group in groups if group for member in group]
    return members, _int64([len(group) if group else 0 for group in groups])


def _sums(amounts: Minor, counts: Minor) -> Minor:
    """The sum of each run of so many amounts."""
    reached = np.concatenate([_int64([0]), np.cumsum(amounts)])
    ends = np.cumsum(counts)
    result: Minor = reached[ends] - reached[ends - counts]
    return result


def _counts(owner: Minor, receipts: Sequence[Receipt]) -> list[int]:
    counts: list[int] = np.bincount(owner, minlength=len(receipts)).tolist()
    return counts


def _int64(numbers: list[int]) -> Minor:
    return np.array(numbers, dtype=np.int64)


def _objects(texts: list[str]) -> Names:
    return np.array(texts, dtype=object)
