"""Receipts of an API, gathered row by row and turned into a page of frames at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from daybook.errors import InputError
from daybook.pos import cells, columns
from daybook.pos.columns import Problems
from daybook.pos.source import NO_DAY, Page, Reach, Reject
from daybook.sales.business_date import utc_window
from daybook.sales.frames import ReceiptBatch, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from daybook.sales.store import Store

_TIME: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
# A reject of an API is about a whole receipt, not about a row of a file.
_NO_ROW: Final = 0

# category, tax code, net, tax, discount
Line = tuple[str, str, int, int, int]
# tender, amount
Tender = tuple[str, int]
LineColumns = tuple[list[str], list[str], list[int], list[int], list[int]]
TenderColumns = tuple[list[str], list[int]]


@dataclass(frozen=True, slots=True)
class Instants:
    """The instants asked for: [start, end)."""

    start_at: dt.datetime
    end_at: dt.datetime

    @classmethod
    def of(cls, stores: Sequence[Store], first_date: dt.date, last_date: dt.date) -> Instants:
        """The instants that cover the business dates of all the stores."""
        clocks = {(store.time_zone, store.cutoff) for store in stores}
        intervals = [utc_window(first_date, last_date, zone, cutoff) for zone, cutoff in clocks]
        return cls(min(start for start, _ in intervals), max(end for _, end in intervals))

    def hold(self, microseconds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the instants, in microseconds since 1970, lie in it."""
        return (microseconds >= _us(self.start_at)) & (microseconds < _us(self.end_at))

    @staticmethod
    def reach(store_id: str | None, text: str | None) -> Reach:
        """The sales that a receipt of this store and time may be; None where it is not known."""
        stores = None if store_id is None else frozenset([store_id])
        try:
            at = _EPOCH + cells.instant_us(text or "") * _MICROSECOND
        except InputError:
            return Reach(stores)
        return Reach(stores, at, at)

    def may_hold(self, text: str) -> bool:
        """Whether the time lies in it; one that cannot be read may."""
        try:
            return _us(self.start_at) <= cells.instant_us(text) < _us(self.end_at)
        except InputError:
            return True


class Head(msgspec.Struct, frozen=True, gc=False):
    """A receipt without its lines and tenders; the times are text, as the API has them.

    Not a named tuple: the garbage collector would go through ten thousand of them again and again.
    """

    store_id: str
    receipt_id_pos: str
    sold_at: str
    updated_at: str
    currency: str
    is_refund: bool
    is_voided: bool


class Parts(NamedTuple):
    """Lines and tenders of many receipts, one receipt's after the other's.

    Of each receipt: whether it is a refund, how many lines and how many tenders it has.
    """

    is_refund: list[bool]
    line_counts: list[int]
    lines: LineColumns
    tender_counts: list[int]
    tenders: TenderColumns


@dataclass(slots=True)
class ReceiptRows:
    """Receipts on their way into a page; `url` is where a receipt is found by its id."""

    url: str
    window: Instants
    heads: list[Head] = field(default_factory=list)
    # Column by column: a hundred thousand small tuples would keep the garbage collector busy.
    lines: LineColumns = field(default_factory=lambda: ([], [], [], [], []))
    line_counts: list[int] = field(default_factory=list)
    tenders: TenderColumns = field(default_factory=lambda: ([], []))
    tender_counts: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def add(self, head: Head, lines: Sequence[Line], tenders: Sequence[Tender]) -> None:
        """Take in one whole receipt."""
        self.heads.append(head)
        self.line_counts.append(len(lines))
        categories, tax_codes, nets, taxes, discounts = self.lines
        for category, tax_code, net, tax, discount in lines:
            categories.append(category)
            tax_codes.append(tax_code)
            nets.append(net)
            taxes.append(tax)
            discounts.append(discount)
        self.tender_counts.append(len(tenders))
        names, amounts = self.tenders
        for name, amount in tenders:
            names.append(name)
            amounts.append(amount)

    def extend(self, heads: Sequence[Head], parts: Parts) -> None:
        """Take in many whole receipts."""
        self.heads += heads
        self.line_counts += parts.line_counts
        self.tender_counts += parts.tender_counts
        mine: tuple[list[Any], ...] = (*self.lines, *self.tenders)
        theirs: tuple[list[Any], ...] = (*parts.lines, *parts.tenders)
        for column, more in zip(mine, theirs, strict=True):
            column.extend(more)

    def reject(
        self,
        receipt_id_pos: str,
        column: str,
        reason: str,
        *,
        store_id: str | None = None,
        sold_at: str | None = None,
    ) -> None:
        """Leave a receipt out, and say why; as far as they are known, of which store and when.

        What is not known may be any store or time that was asked for: those days are held.
        """
        # Escaped and cut where need be: rejects are stored, and receipts call themselves anything.
        url = f"{self.url}/{cells.shown(receipt_id_pos)[1:-1]}"
        reach = self.window.reach(store_id, sold_at)
        said = f"{reason} The receipt is left out."
        self.rejects.append(Reject(url, _NO_ROW, column, said, reach))

    def reject_store(self, store_id_pos: str) -> None:
        """Leave out all receipts of a store nobody told us of."""
        self.rejects.append(
            Reject(
                self.url,
                _NO_ROW,
                "store_id",
                f"Store {cells.shown(store_id_pos)} is not known; add it to the stores, or ignore "
                "its receipts. They are left out.",
                NO_DAY,
            )
        )

    def page(self) -> Page:
        """The receipts of the window; whatever is not fit for a frame is a reject."""
        if not self.heads:
            return Page(joined([]), tuple(self.rejects))
        problems = Problems()
        receipts, is_inside = self._receipt_frame(problems)
        lines = self._line_frame(problems)
        tenders = self._tender_frame(problems)
        for row, (column, reason) in problems.by_row.items():
            if is_inside[row]:
                head = self.heads[row]
                self.reject(
                    head.receipt_id_pos,
                    column,
                    reason,
                    store_id=head.store_id,
                    sold_at=head.sold_at,
                )
        is_good = is_inside
        is_good[problems.rows()] = False
        if is_good.all():
            return Page(ReceiptBatch(receipts, lines, tenders), tuple(self.rejects))
        batch = ReceiptBatch(
            receipts[is_good].reset_index(drop=True),
            lines[is_good[lines["receipt_key"]]].reset_index(drop=True),
            tenders[is_good[tenders["receipt_key"]]].reset_index(drop=True),
        )
        return Page(batch, tuple(self.rejects))

    def _receipt_frame(self, problems: Problems) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
        """The receipts, and which of them are of the window as far as can be told."""
        heads = self.heads
        table = pa.table(
            {
                "store_id": [head.store_id for head in heads],
                "receipt_id_pos": [head.receipt_id_pos for head in heads],
                "sold_at": _times([head.sold_at for head in heads]),
                "updated_at": _times([head.updated_at for head in heads]),
                "currency": [head.currency for head in heads],
            }
        )
        sold_at = columns.instants(table, "sold_at", problems)
        is_inside = self.window.hold(sold_at)
        is_inside[problems.rows()] = True
        frame = pd.DataFrame(
            {
                "receipt_key": np.arange(len(heads)),
                "store_id": columns.names(table, "store_id", problems),
                "receipt_id_pos": columns.ids(table, "receipt_id_pos", problems),
                "sold_at": _utc(sold_at),
                "updated_at": _utc(columns.instants(table, "updated_at", problems)),
                "currency": columns.currencies(table, problems),
                "is_refund": np.array([head.is_refund for head in heads], dtype=bool),
                "is_voided": np.array([head.is_voided for head in heads], dtype=bool),
            }
        )
        return frame, is_inside

    def _line_frame(self, problems: Problems) -> pd.DataFrame:
        category, tax_code, net, tax, discount = self.lines
        receipt_key, number = _places(self.line_counts)
        return pd.DataFrame(
            {
                "receipt_key": receipt_key,
                "line_no": number,
                "category": _names("category", category, receipt_key, problems),
                "tax_code": _names("tax_code", tax_code, receipt_key, problems),
                "net_minor": np.array(net, dtype=np.int64),
                "tax_minor": np.array(tax, dtype=np.int64),
                "discount_minor": np.array(discount, dtype=np.int64),
            }
        )

    def _tender_frame(self, problems: Problems) -> pd.DataFrame:
        tender, amount = self.tenders
        receipt_key, number = _places(self.tender_counts)
        return pd.DataFrame(
            {
                "receipt_key": receipt_key,
                "tender_no": number,
                "tender": _names("tender", tender, receipt_key, problems),
                "amount_minor": np.array(amount, dtype=np.int64),
            }
        )


def _us(at: dt.datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _places(counts: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each line of receipts with so many lines: whose it is, and which one it is, from 1."""
    count = np.array(counts, dtype=np.int64)
    before = np.cumsum(count) - count
    receipt_key = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(receipt_key)) - before[receipt_key] + 1
    return receipt_key, number.astype(np.int32)


def _times(texts: Sequence[str]) -> pa.Array:
    """The times, read all at once; as text where one of them is odd and must be found."""
    array = pa.array(texts, pa.string())
    try:
        return array.cast(_TIME)
    except pa.ArrowInvalid:
        return array


def _names(
    name: str, texts: Sequence[str], receipt_key: NDArray[np.int64], problems: Problems
) -> pd.Categorical:
    """A column of few distinct names; a bad one is a problem of its receipt."""
    found = Problems()
    table = pa.table({name: pa.array(texts, pa.string())})
    result = columns.names(table, name, found)
    for row, problem in found.by_row.items():
        problems.by_row.setdefault(int(receipt_key[row]), problem)
    return result


def _utc(microseconds: NDArray[np.int64]) -> pd.Series[pd.Timestamp]:
    return pd.Series(microseconds.view("datetime64[us]")).dt.tz_localize("UTC")
