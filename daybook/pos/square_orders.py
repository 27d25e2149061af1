"""Square's orders on the wire, and one order's lines and tenders. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from daybook.pos.cells import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daybook.pos.api_pages import ReadOptions
    from daybook.pos.receipt_rows import Line, Tender

NO_TAX: Final = "No tax"
TIPS: Final = "Tips"
ROUNDING: Final = "Rounding"
GIFT_CARDS: Final = "Gift cards sold"
SERVICE_CHARGE: Final = "Service charge"

_MINOR_MAX: Final = 10**15
_ITEM_TYPES: Final = frozenset({"ITEM", "CUSTOM_AMOUNT", "GIFT_CARD"})
_CHARGE_CATEGORIES: Final = {"CUSTOM": SERVICE_CHARGE, "AUTO_GRATUITY": "Auto gratuity"}
_TENDER_TYPES: Final = frozenset(
    {
        "CARD",
        "CASH",
        "THIRD_PARTY_CARD",
        "SQUARE_GIFT_CARD",
        "BANK_ACCOUNT",
        "WALLET",
        "BUY_NOW_PAY_LATER",
        "SQUARE_ACCOUNT",
        "OTHER",
    }
)
_NO_SALE: Final = "NO_SALE"
_CARD_TAKEN: Final = {"AUTHORIZED": True, "CAPTURED": True, "VOIDED": False, "FAILED": False}
_FINAL_STATES: Final = {"COMPLETED": True, "CANCELED": True, "OPEN": False, "DRAFT": False}
_REFUND_PAID: Final = {
    "PENDING": True,
    "APPROVED": True,
    "COMPLETED": True,
    "REJECTED": False,
    "FAILED": False,
}
# A refund names where the money went; the tender is what an order would call it.
_REFUND_TENDERS: Final = {
    **{name: name for name in _TENDER_TYPES - {"OTHER"}},
    "EXTERNAL": "OTHER",
}


class Unreadable(Exception):
    """Why an order is left out: column and reason."""


class Amount(msgspec.Struct, gc=False):
    """A sum of money, in minor units of the order's currency."""

    amount: Annotated[int, msgspec.Meta(ge=-_MINOR_MAX, le=_MINOR_MAX)] | None = None


class Money(msgspec.Struct, gc=False):
    """A sum of money that says its currency."""

    amount: Annotated[int, msgspec.Meta(ge=-_MINOR_MAX, le=_MINOR_MAX)] | None = None
    currency: str = ""


class Tax(msgspec.Struct, gc=False):
    """A tax of the order, which lines refer to."""

    uid: str = ""
    name: str | None = None
    percentage: str | None = None


class AppliedTax(msgspec.Struct, gc=False):
    """A line's reference to a tax."""

    tax_uid: str


class Item(msgspec.Struct, gc=False):
    """A line that was sold or brought back."""

    name: str | None = None
    item_type: str = "ITEM"
    total_money: Amount | None = None
    total_tax_money: Amount | None = None
    total_discount_money: Amount | None = None
    total_service_charge_money: Amount | None = None
    applied_taxes: tuple[AppliedTax, ...] | None = None


class Charge(msgspec.Struct, gc=False):
    """A service charge; one that is apportioned stands in the lines already."""

    name: str | None = None
    type: str = "CUSTOM"
    calculation_phase: str = ""
    total_money: Amount | None = None
    total_tax_money: Amount | None = None
    applied_taxes: tuple[AppliedTax, ...] | None = None


class Card(msgspec.Struct, gc=False):
    """What became of a card."""

    status: str | None = None


class OrderTender(msgspec.Struct, gc=False):
    """How some of the order was paid, its tip included."""

    type: str
    amount_money: Amount | None = None
    card_details: Card | None = None


class RoundingAdjustment(msgspec.Struct, gc=False):
    """What rounding to a coin added."""

    amount_money: Amount | None = None


class Totals(msgspec.Struct, gc=False):
    """What Square itself says the returned lines come to."""

    total_money: Money | None = None
    tax_money: Amount | None = None
    tip_money: Amount | None = None


class Return(msgspec.Struct, gc=False):
    """Lines that came back; amounts are positive."""

    return_line_items: tuple[Item, ...] | None = None
    return_service_charges: tuple[Charge, ...] | None = None
    return_taxes: tuple[Tax, ...] | None = None
    rounding_adjustment: RoundingAdjustment | None = None


class OrderSource(msgspec.Struct, gc=False):
    """Where the order was made."""

    name: str | None = None


class Order(msgspec.Struct, gc=False):
    """What Daybook reads of an order."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    location_id: str
    state: str
    created_at: str
    updated_at: str
    closed_at: str | None = None
    version: int = 0
    source: OrderSource | None = None
    taxes: tuple[Tax, ...] | None = None
    line_items: tuple[Item, ...] | None = None
    service_charges: tuple[Charge, ...] | None = None
    returns: tuple[Return, ...] | None = None
    tenders: tuple[OrderTender, ...] | None = None
    rounding_adjustment: RoundingAdjustment | None = None
    return_amounts: Totals | None = None
    total_money: Money | None = None
    total_tax_money: Amount | None = None
    total_tip_money: Amount | None = None


class OfflineDetails(msgspec.Struct, gc=False):
    """When the till took an offline payment."""

    client_created_at: str | None = None


class Payment(msgspec.Struct, gc=False):
    """An offline payment."""

    id: str
    order_id: str | None = None
    offline_payment_details: OfflineDetails | None = None


class _DestinationCard(msgspec.Struct, gc=False):
    card_brand: str | None = None


class _DestinationCardDetails(msgspec.Struct, gc=False):
    card: _DestinationCard | None = None


class _DestinationDetails(msgspec.Struct, gc=False):
    card_details: _DestinationCardDetails | None = None


class Refund(msgspec.Struct, gc=False):
    """Money that went back; the amount is positive."""

    id: str
    status: str
    created_at: str
    amount_money: Amount
    order_id: str | None = None
    destination_type: str | None = None
    destination_details: _DestinationDetails | None = None


class OrderParts(NamedTuple):
    """An order's lines and tenders; `currency` is empty where the order names none."""

    lines: list[Line]
    tenders: list[Tender]
    is_refund: bool
    currency: str


def is_unfinished(state: str | None) -> bool:
    """Whether an order of this state is known to be none yet; a later read brings it."""
    return _FINAL_STATES.get(state or "") is False


def is_receipt(order: Order) -> bool:
    """Whether the order is final or voided, and more than an opened drawer.

    Raises:
        Unreadable: its state is not known.
    """
    is_final = _FINAL_STATES.get(order.state)
    if is_final is None:
        raise Unreadable("state", f"{shown(order.state)} is not a known state of an order.")
    if not is_final or order.line_items or order.returns or order.service_charges:
        return is_final
    return not order.tenders or any(tender.type != _NO_SALE for tender in order.tenders)


class Parts:
    """Takes orders apart; what taxes are called is worked out once."""

    def __init__(self, options: ReadOptions) -> None:
        """Remember how lines are sorted into categories."""
        self._categories = options.categories
        self._default = options.default_category
        self._labels = _Labels()

    def of(self, order: Order, refunds: Iterable[Refund]) -> OrderParts:
        """The lines and tenders of a final order.

        Raises:
            Unreadable: something in it is not known, or it does not come to its own totals.
        """
        is_voided = order.state == "CANCELED"
        lines, sold = self._sold(order, is_checked=not is_voided)
        returned = 0
        if order.returns:
            returned_lines, returned = self._returned(order, is_checked=not is_voided)
            lines += returned_lines
        tenders = _tenders(order.tenders or ())
        tenders += _refund_tenders(refunds)
        if returned and not order.line_items and not tenders and not is_voided:
            raise Unreadable(
                "returns", "Square lists no refund for it that was paid, so its tender is unknown."
            )
        is_refund = sold < returned or bool(order.returns and not order.line_items)
        return OrderParts(lines, tenders, is_refund, _currency(order))

    def _sold(self, order: Order, *, is_checked: bool) -> tuple[list[Line], int]:
        codes = self._codes(order.taxes)
        lines: list[Line] = []
        for item in order.line_items or ():
            self._add_item(item, codes, 1, lines)
        for charge in order.service_charges or ():
            self._add_charge(charge, codes, 1, lines)
        _add_extra(ROUNDING, order.rounding_adjustment, 1, lines)
        tip = _minor(order.total_tip_money)
        if tip:
            lines.append((TIPS, NO_TAX, tip, 0, 0))
        total = sum([line[2] + line[3] for line in lines])
        if is_checked and order.total_money is not None:
            _check("total_money", _minor(order.total_money), total)
            _check("total_tax_money", _minor(order.total_tax_money), sum([x[3] for x in lines]))
        return lines, total

    def _returned(self, order: Order, *, is_checked: bool) -> tuple[list[Line], int]:
        """What came back, as negative lines, and what it came to, positive."""
        lines: list[Line] = []
        for back in order.returns or ():
            codes = self._codes(order.taxes) | self._codes(back.return_taxes)
            for item in back.return_line_items or ():
                self._add_item(item, codes, -1, lines)
            for charge in back.return_service_charges or ():
                self._add_charge(charge, codes, -1, lines)
            _add_extra(ROUNDING, back.rounding_adjustment, -1, lines)
        said = order.return_amounts
        tip = _minor(said.tip_money) if said is not None else 0
        if tip:
            lines.append((TIPS, NO_TAX, -tip, 0, 0))
        total = -sum([line[2] + line[3] for line in lines])
        if is_checked and said is not None:
            _check("return_amounts", _minor(said.total_money), total)
            _check("return_amounts", _minor(said.tax_money), -sum([line[3] for line in lines]))
        return lines, total

    def _add_item(self, item: Item, codes: dict[str, str], sign: int, lines: list[Line]) -> None:
        """One line, and one more for the service charge that was apportioned to it."""
        if item.item_type not in _ITEM_TYPES:
            raise Unreadable("line_items", f"{shown(item.item_type)} is not a known type of line.")
        total, tax = _minor(item.total_money), _minor(item.total_tax_money)
        service = _minor(item.total_service_charge_money)
        code = _tax_code(item.applied_taxes, codes, tax)
        category = (
            GIFT_CARDS
            if item.item_type == "GIFT_CARD"
            else self._categories.get(item.name or "", self._default)
        )
        discount = sign * _minor(item.total_discount_money)
        lines.append((category, code, sign * (total - tax - service), sign * tax, discount))
        if service:
            lines.append((SERVICE_CHARGE, code, sign * service, 0, 0))

    def _add_charge(
        self, charge: Charge, codes: dict[str, str], sign: int, lines: list[Line]
    ) -> None:
        category = self._categories.get(charge.name or "") or _CHARGE_CATEGORIES.get(charge.type)
        if category is None:
            raise Unreadable(
                "service_charges",
                f"{shown(charge.type)} is not a known type of charge; give "
                f"{shown(charge.name or '')} a category.",
            )
        if charge.calculation_phase.startswith("APPORTIONED"):
            return
        tax = _minor(charge.total_tax_money)
        code = _tax_code(charge.applied_taxes, codes, tax)
        lines.append((category, code, sign * (_minor(charge.total_money) - tax), sign * tax, 0))

    def _codes(self, taxes: Sequence[Tax] | None) -> dict[str, str]:
        """What each tax is called."""
        labels = self._labels
        return {tax.uid: labels[tax.name, tax.percentage] for tax in taxes or ()}


class _Labels(dict[tuple[str | None, str | None], str]):
    """A tax's name with its rate, so that an old and a new rate never mix: GST 9%."""

    def __missing__(self, tax: tuple[str | None, str | None]) -> str:
        name, percentage = tax
        rate = f" {percentage}%" if percentage else ""
        label = self[tax] = f"{(name or 'Tax').strip()}{rate}"
        return label


def _minor(money: Amount | Money | None) -> int:
    return (money.amount or 0) if money is not None else 0


def _currency(order: Order) -> str:
    said = order.return_amounts.total_money if order.return_amounts is not None else None
    money = order.total_money or said
    return money.currency if money is not None else ""


def _check(column: str, said: int, found: int) -> None:
    if said != found:
        raise Unreadable(
            column,
            f"Square says {said}, but the lines come to {found}, a difference of {said - found} "
            "in the smallest unit of the currency.",
        )


def _tax_code(applied: Sequence[AppliedTax] | None, codes: dict[str, str], tax: int) -> str:
    """What the line's taxes are called together."""
    if not applied:
        if tax:
            raise Unreadable("applied_taxes", "A line has tax and does not say which.")
        return NO_TAX
    try:
        if len(applied) == 1:
            return codes[applied[0].tax_uid]
        return " + ".join(sorted([codes[one.tax_uid] for one in applied]))
    except KeyError:
        raise Unreadable(
            "applied_taxes", "A line has a tax that the order does not list."
        ) from None


def _add_extra(
    category: str, found: RoundingAdjustment | None, sign: int, lines: list[Line]
) -> None:
    amount = _minor(found.amount_money) if found is not None else 0
    if amount:
        lines.append((category, NO_TAX, sign * amount, 0, 0))


def _tenders(tenders: Sequence[OrderTender]) -> list[Tender]:
    """What was paid; a card that was not charged paid nothing."""
    paid = []
    for tender in tenders:
        if tender.type == _NO_SALE:
            continue
        if tender.type not in _TENDER_TYPES:
            raise Unreadable("tenders", f"{shown(tender.type)} is not a known type of tender.")
        status = tender.card_details.status if tender.card_details is not None else None
        if status is not None and status not in _CARD_TAKEN:
            raise Unreadable("tenders", f"{shown(status)} is not a known status of a card.")
        if status is None or _CARD_TAKEN[status]:
            paid.append((tender.type, _minor(tender.amount_money)))
    return paid


def _refund_tenders(refunds: Iterable[Refund]) -> list[Tender]:
    """What was paid back, or is on its way, as negative tenders."""
    paid = []
    for refund in refunds:
        is_paid = _REFUND_PAID.get(refund.status)
        if is_paid is None:
            raise Unreadable(
                "refunds", f"{shown(refund.status)} is not a known status of a refund."
            )
        if is_paid:
            paid.append((_refund_tender(refund), -_minor(refund.amount_money)))
    return paid


def _refund_tender(refund: Refund) -> str:
    details = refund.destination_details
    card = details.card_details.card if details and details.card_details else None
    if card is not None and card.card_brand == "SQUARE_GIFT_CARD":
        return "SQUARE_GIFT_CARD"
    tender = _REFUND_TENDERS.get(refund.destination_type or "")
    if tender is None:
        raise Unreadable(
            "refunds", f"{shown(refund.destination_type or '')} is not a known way to refund."
        )
    return tender
