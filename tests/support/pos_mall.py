"""Shops behind a running sandbox, and daily totals as both sides tell them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybook.clock import SystemClock
from daybook.money import parse_minor
from daybook.pos.api_pages import PosApi
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined
from daybook.sales.store import Store
from daybook.sales.window import within

if TYPE_CHECKING:
    import httpx

    from daybook.pos.source import Page, ReceiptSource

Totals = dict[tuple[str, str, str], dict[str, Any]]


class ImpatientClock(SystemClock):
    """The real time, but waiting takes none."""

    def __init__(self) -> None:
        """Count no waits yet."""
        self.now_at: dt.datetime | None = None
        self.waits: list[float] = []

    def now(self) -> dt.datetime:
        """The time it was set to, or the real one."""
        return self.now_at or super().now()

    def sleep(self, seconds: float) -> None:
        """Remember how long it would have been."""
        self.waits.append(seconds)


@dataclass
class Mall:
    """The generated shops of one vendor, as a client sees them."""

    http: httpx.Client
    clock: ImpatientClock
    vendor: str
    info: dict[str, Any]

    @property
    def api(self) -> PosApi:
        """The vendor's API."""
        return PosApi(
            vendor=self.vendor.capitalize(),
            url=str(self.http.base_url),
            access_token=self.info["tokens"][self.vendor],
            http=self.http,
            clock=self.clock,
        )

    @property
    def store_ids(self) -> dict[str, str]:
        """The store of each of the vendor's ids."""
        return {shop["id"]: shop["name"] for shop in self.shops}

    @property
    def shops(self) -> list[dict[str, Any]]:
        """The vendor's shops."""
        return [shop for shop in self.info["shops"] if shop["vendor"] == self.vendor]

    @property
    def categories(self) -> dict[str, str]:
        """The category of each thing sold."""
        return dict(self.info["categories"])

    @property
    def stores(self) -> list[Store]:
        """The shops as stores."""
        return [
            Store(
                store_id=shop["name"],
                name=shop["name"],
                time_zone=shop["time_zone"],
                currency=shop["currency"],
                cutoff=dt.time.fromisoformat(shop["cutoff"]),
            )
            for shop in self.shops
        ]

    def at(self, now: str) -> None:
        """Let it be then, for the shops and for us."""
        self.clock.now_at = dt.datetime.fromisoformat(now)
        self.control("POST", "/clock", json={"set": now})

    def control(self, method: str, path: str, **kwargs: Any) -> Any:  # noqa: ANN401 - plain JSON
        """Make a control call of the sandbox."""
        reply = self.http.request(method, f"/_sandbox{path}", **kwargs)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def expected(self, first_date: dt.date, last_date: dt.date) -> Totals:
        """The totals as the shops themselves add them up."""
        told = self.control("GET", f"/pos/totals?vendor={self.vendor}")["totals"]
        return {
            (self.store_ids[day["shop_id"]], day["business_date"], day["currency"]): {
                "counts": [day["receipt_count"], day["refund_count"], day["voided_count"]],
                "categories": _nonzero(
                    {tuple(row[:3]): _minors(row[3:], day["currency"]) for row in day["categories"]}
                ),
                "tenders": _nonzero(
                    {tuple(row[:2]): _minors(row[2:], day["currency"]) for row in day["tenders"]}
                ),
            }
            for day in told
            if str(first_date) <= day["business_date"] <= str(last_date)
        }

    def totals(self, pages: list[Page], first_date: dt.date, last_date: dt.date) -> Totals:
        """The totals of what was read."""
        batch = within(joined([page.batch for page in pages]), self.stores, first_date, last_date)
        return {
            (total.store_id, str(total.business_date), total.currency): {
                "counts": [total.receipt_count, total.refund_count, total.voided_count],
                "categories": _nonzero(
                    {
                        (row.category, row.tax_code, row.is_refund): (row.net_minor, row.tax_minor)
                        for row in total.categories
                    }
                ),
                "tenders": _nonzero(
                    {(row.tender, row.is_refund): (row.amount_minor,) for row in total.tenders}
                ),
            }
            for total in daily_totals(batch, self.stores)
        }

    def read(self, source: ReceiptSource, first_date: dt.date, last_date: dt.date) -> Totals:
        """The totals of what the source brings, which has no rejects."""
        pages = list(source.receipts(self.stores, first_date, last_date))
        assert [] == [reject for page in pages for reject in page.rejects]
        return self.totals(pages, first_date, last_date)


def _minors(texts: list[str], currency: str) -> tuple[int, ...]:
    return tuple(parse_minor(text, currency) for text in texts)


def _nonzero(sums: dict[Any, tuple[int, ...]]) -> dict[Any, tuple[int, ...]]:
    """Sums that come to nothing are not worth a difference."""
    return {key: amounts for key, amounts in sums.items() if any(amounts)}


def open_mall(http: httpx.Client, vendor: str, now: str, **plan: object) -> Mall:
    """New shops, seen at that moment."""
    http.post("/_sandbox/reset")
    http.post("/_sandbox/clock", json={"set": now, "freeze": True})
    info = http.post("/_sandbox/pos/shops", json=plan).json()
    clock = ImpatientClock()
    clock.now_at = dt.datetime.fromisoformat(now)
    return Mall(http, clock, vendor, info)
