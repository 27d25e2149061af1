"""Loyverse: receipts over its API, dated by the till's own clock. `docs/loyverse.md` has the rules.

Amounts are JSON numbers in major units, read as exact decimals. Refunds are positive there and
negative here. Lines, taxes and payments are taken as they are: a receipt that does not balance
holds its day.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.pos.api_pages import HistoryClosed, PageDecoder, ReadOptions, iso, one_ahead
from daybook.pos.loyverse_receipts import Blocks, Receipt, Unreadable
from daybook.pos.receipt_rows import Head, Instants, ReceiptRows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from daybook.pos.api_pages import ApiPage, PosApi, Unread
    from daybook.pos.source import Page
    from daybook.sales.store import Store

_RECEIPTS: Final = "/v1.0/receipts"
_CALL_LIMIT_MAX: Final = 250
_HISTORY: Final = dt.timedelta(days=31)
_DAY: Final = dt.timedelta(days=1)
_DECODE: Final = PageDecoder(
    Receipt,
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
                ours = [one for one in page.items if one.store_id in reader.stores]
                for theirs in {one.store_id for one in page.items} - set(reader.stores):
                    strangers.note(theirs, rows)
                reader.read(ours, rows)
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

    def _pages(self, asked: Collection[str], window: Instants) -> Iterator[ApiPage[Receipt]]:
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
    ) -> ApiPage[Receipt]:
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


class _Reader:
    """Turns receipts of these stores, by their Loyverse ids, into rows."""

    def __init__(self, stores: Mapping[str, Store], options: ReadOptions) -> None:
        self.stores = stores
        self._blocks = Blocks(options, {store.currency for store in stores.values()})

    def read(self, receipts: Sequence[Receipt], rows: ReceiptRows) -> None:
        """Add the receipts to the rows, or the reasons why not."""
        by_currency: dict[str, list[Receipt]] = {}
        for receipt in receipts:
            currency = self.stores[receipt.store_id].currency
            by_currency.setdefault(currency, []).append(receipt)
        for currency, some in by_currency.items():
            self._read_some(some, currency, rows)

    def _read_some(self, receipts: Sequence[Receipt], currency: str, rows: ReceiptRows) -> None:
        """Those that cannot be read together are halved, until each bad one is alone."""
        try:
            parts = self._blocks.of(receipts, currency)
        except Unreadable as error:
            if len(receipts) == 1:
                self._reject(receipts[0], error, rows)
                return
            middle = len(receipts) // 2
            self._read_some(receipts[:middle], currency, rows)
            self._read_some(receipts[middle:], currency, rows)
            return
        heads = [
            Head(
                self.stores[receipt.store_id].store_id,
                receipt.receipt_number,
                receipt.receipt_date,
                receipt.updated_at,
                currency,
                is_refund,
                receipt.cancelled_at is not None,
            )
            for receipt, is_refund in zip(receipts, parts.is_refund, strict=True)
        ]
        rows.extend(heads, parts)

    def _reject(self, receipt: Receipt, error: Unreadable, rows: ReceiptRows) -> None:
        if rows.window.may_hold(receipt.receipt_date):
            rows.reject(
                receipt.receipt_number,
                *error.args,
                store_id=self.stores[receipt.store_id].store_id,
                sold_at=receipt.receipt_date,
            )
