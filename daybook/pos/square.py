"""Square: orders, their refunds and offline payments over its API. `docs/square.md` has the rules.

An order is read as it stands: its lines' own totals and taxes, in integer minor units. A return is
an order of its own, dated the day of the refund; its tenders are its refunds. The lines must come
to the order's own totals, or the order is left out with the difference.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from daybook.errors import InputError
from daybook.pos import square_orders
from daybook.pos.api_pages import PageDecoder, ReadOptions, iso, one_ahead
from daybook.pos.receipt_rows import Head, Instants, ReceiptRows
from daybook.pos.square_orders import Order, Payment, Refund, Unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from daybook.pos.api_pages import ApiPage, PosApi, Unread
    from daybook.pos.source import Page
    from daybook.sales.store import Store

_SEARCH: Final = "/v2/orders/search"
_ORDERS: Final = "/v2/orders"
_PAYMENTS: Final = "/v2/payments"
_REFUNDS: Final = "/v2/refunds"
_ORDERS_MAX: Final = 1000
_LIST_MAX: Final = 100
_LOCATIONS_MAX: Final = 10
# An order that does not say when it changed is newer than any list.
_NEVER_PAST: Final = "9999"
# How far Square's clock may be behind ours when we ask what happened until now.
_CLOCKS_DIFFER: Final = dt.timedelta(minutes=5)

_ITEM = TypeVar("_ITEM")
_decode_orders: Final = PageDecoder(
    Order, "orders", "id", place_name="location_id", time_names=("closed_at", "created_at")
)
# An offline payment dates a sale, and a refund may be of an order of another day: any may lack it.
_decode_payments: Final = PageDecoder(
    Payment, "payments", "id", place_name="location_id", time_names=()
)
_decode_refunds: Final = PageDecoder(
    Refund, "refunds", "id", place_name="location_id", time_names=()
)


class SquareSource:
    """One Square account; `store_ids` gives the store of each location's id.

    Orders whose source has one of `test_sources` as its name are training and left out.
    """

    def __init__(
        self,
        api: PosApi,
        store_ids: Mapping[str, str],
        options: ReadOptions | None = None,
        *,
        test_sources: Collection[str] = (),
    ) -> None:
        """Remember what to read; nothing is asked yet."""
        self._api = api
        self._store_ids = dict(store_ids)
        self._options = options or ReadOptions()
        self._test_sources = frozenset(test_sources)

    @property
    def name(self) -> str:
        """The API's place."""
        return f"Square at {self._api.url}"

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,  # noqa: ARG002 - only known locations are asked for
    ) -> Iterator[Page]:
        """The stores' final and voided orders of the window.

        Raises:
            InputError: a store has no location, or Square refused.
            Unavailable: Square did not answer in time.
        """
        locations = self._locations(stores)
        window = Instants.of(stores, first_date, last_date)
        reader = _Reader(
            locations,
            self._options,
            self._test_sources,
            _Companions(self._api, locations, window.start_at - self._options.overlap),
        )
        rows = self._new_rows(window)
        for page in self._pages(sorted(locations), self._options.since(window.start_at)):
            reader.companions.refresh(page, rows)
            for unread in page.unreadable:
                reader.reject(unread, rows)
            for order in page.items:
                reader.read(order, rows)
            if len(rows.heads) >= self._options.page_receipts:
                yield rows.page()
                rows = self._new_rows(window)
                reader.versions.clear()
        if rows.heads or rows.rejects:
            yield rows.page()

    def _new_rows(self, window: Instants) -> ReceiptRows:
        return ReceiptRows(self._api.url.rstrip("/") + _ORDERS, window)

    def _locations(self, stores: Sequence[Store]) -> dict[str, Store]:
        for store in stores:
            if store.store_id not in self._store_ids.values():
                raise InputError(
                    f"Store {store.store_id} has no Square location; add the id of its location, "
                    "which Square's developer dashboard lists under Locations."
                )
        by_id = {store.store_id: store for store in stores}
        return {
            location: by_id[store_id]
            for location, store_id in self._store_ids.items()
            if store_id in by_id
        }

    def _pages(self, locations: Sequence[str], since: dt.datetime) -> Iterator[ApiPage[Order]]:
        for first in range(0, len(locations), _LOCATIONS_MAX):
            some = locations[first : first + _LOCATIONS_MAX]
            yield from one_ahead(partial(self._fetch, some, since))

    def _fetch(
        self, locations: Sequence[str], since: dt.datetime, cursor: str | None
    ) -> ApiPage[Order]:
        """Oldest change first and without an end: what changes meanwhile comes again at the end."""
        body: dict[str, object] = {
            "location_ids": locations,
            "query": {
                "filter": {"date_time_filter": {"updated_at": {"start_at": iso(since)}}},
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
            "limit": min(self._options.call_limit, _ORDERS_MAX),
        }
        if cursor is not None:
            body["cursor"] = cursor
        return self._api.read(_SEARCH, _decode_orders, body=body)


@dataclass(slots=True)
class _Companions:
    """What orders do not say themselves: when offline sales happened, how refunds were paid.

    Both are listed before the orders, and again once orders come that may be newer than the lists.
    """

    api: PosApi
    locations: Mapping[str, Store]
    begin_at: dt.datetime
    complete_until: str = ""
    offline_at: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, dict[str, Refund]] = field(default_factory=dict)

    def refresh(self, page: ApiPage[Order], rows: ReceiptRows) -> None:
        """Bring both up to the newest order of the page."""
        changed = [
            *(order.updated_at for order in page.items),
            *(unread.updated_at or _NEVER_PAST for unread in page.unreadable),
        ]
        newest = max(changed, default="")
        # Fractions of a second are written in several ways; seconds compare as text.
        if not newest or newest[:19] < self.complete_until:
            return
        complete_at = self.api.clock.now() - _CLOCKS_DIFFER
        for location in sorted(self.locations):
            for payments in self._list(_PAYMENTS, _decode_payments, location, rows):
                self._note_payments(payments)
            for refunds in self._list(_REFUNDS, _decode_refunds, location, rows):
                self._note_refunds(refunds, rows, self.locations[location].store_id)
        self.begin_at = max(complete_at, self.begin_at)
        self.complete_until = iso(complete_at)[:19]

    def _note_payments(self, payments: Sequence[Payment]) -> None:
        """A sale paid in several offline parts happened when the last one was taken."""
        for payment in payments:
            details = payment.offline_payment_details
            if payment.order_id and details is not None and details.client_created_at:
                known = self.offline_at.get(payment.order_id, "")
                self.offline_at[payment.order_id] = max(known, details.client_created_at)

    def _note_refunds(self, refunds: Sequence[Refund], rows: ReceiptRows, store_id: str) -> None:
        for refund in refunds:
            if refund.order_id:
                self.refunds.setdefault(refund.order_id, {})[refund.id] = refund
            elif rows.window.may_hold(refund.created_at):
                rows.reject(
                    f"refund {refund.id}",
                    "order_id",
                    "It belongs to no order, so it is not known what was given back.",
                    store_id=store_id,
                    sold_at=refund.created_at,
                )

    def _list(
        self, path: str, decode: PageDecoder[_ITEM], location: str, rows: ReceiptRows
    ) -> Iterator[list[_ITEM]]:
        params = {
            "location_id": location,
            "updated_at_begin_time": iso(self.begin_at),
            "sort_field": "UPDATED_AT",
            "sort_order": "ASC",
            "limit": str(_LIST_MAX),
            **({"is_offline_payment": "true"} if path == _PAYMENTS else {}),
        }

        def fetch(cursor: str | None) -> ApiPage[_ITEM]:
            following = {} if cursor is None else {"cursor": cursor}
            return self.api.read(path, decode, params=params | following)

        for page in one_ahead(fetch):
            for unread in page.unreadable:
                name = f"{path.rpartition('/')[2]} {unread.item_id}"
                _reject(unread._replace(place=location), name, self.locations, rows)
            yield page.items


def _reject(unread: Unread, name: str, locations: Mapping[str, Store], rows: ReceiptRows) -> None:
    """Say that an item could not be read; an id that no location has may be of any."""
    store = locations.get(unread.place or "")
    rows.reject(
        name, "", unread.reason, store_id=store.store_id if store else None, sold_at=unread.time
    )


class _Reader:
    """Turns orders of these locations into rows."""

    def __init__(
        self,
        locations: Mapping[str, Store],
        options: ReadOptions,
        test_sources: Collection[str],
        companions: _Companions,
    ) -> None:
        self.companions = companions
        # Of the orders on the page in work: the newest version seen.
        self.versions: dict[str, int] = {}
        self._locations = locations
        self._test_sources = test_sources
        self._parts = square_orders.Parts(options)

    def reject(self, unread: Unread, rows: ReceiptRows) -> None:
        """Say that an order could not be read, if it may be a receipt of the window."""
        at = self.companions.offline_at.get(unread.item_id) or unread.time
        is_elsewhere = at is not None and not rows.window.may_hold(at)
        if not is_elsewhere and not square_orders.is_unfinished(unread.state):
            _reject(unread._replace(time=at), unread.item_id, self._locations, rows)

    def read(self, order: Order, rows: ReceiptRows) -> None:
        """Add the order to the rows if it is a receipt, or the reason why it cannot be one."""
        sold_at = self.companions.offline_at.get(order.id) or order.closed_at or order.created_at
        try:
            if not square_orders.is_receipt(order) or self._is_test(order):
                return
            if order.version < self.versions.get(order.id, 0):
                return
            self.versions[order.id] = order.version
            store = self._locations[order.location_id]
            refunds = self.companions.refunds.get(order.id, {}).values()
            receipt = self._parts.of(order, refunds)
        except Unreadable as error:
            if rows.window.may_hold(sold_at):
                store_id = self._locations[order.location_id].store_id
                rows.reject(order.id, *error.args, store_id=store_id, sold_at=sold_at)
            return
        head = Head(
            store.store_id,
            order.id,
            sold_at,
            order.updated_at,
            receipt.currency or store.currency,
            receipt.is_refund,
            order.state == "CANCELED",
        )
        rows.add(head, receipt.lines, receipt.tenders)

    def _is_test(self, order: Order) -> bool:
        return order.source is not None and order.source.name in self._test_sources
