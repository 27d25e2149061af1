"""List calls over a table: filter, index, order, page, and the high-volume refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from daybook.sandbox import query
from daybook.sandbox.books import Record
from daybook.sandbox.query import Both, Comparison, Either
from daybook.sandbox.validation import ApiError, QueryParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from daybook.sandbox.books import Table
    from daybook.sandbox.query import Node, Page, Schema
    from daybook.sandbox.routing import Call

R = TypeVar("R", bound=Record)
MEMO_SIZE = 8


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """How one resource is listed: its fields, which of them an index answers, its date field."""

    schema: Schema[R]
    indexes: dict[str, str] = field(default_factory=dict)
    id_fields: tuple[str, ...] = ()
    date_field: str = ""


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """The records of this page, and the page when the list is paged."""

    rows: list[R]
    pagination: dict[str, int] | None


def select(
    call: Call,
    table: Table[R],
    listing: Listing[R],
    *,
    among: Iterable[R] | None = None,
    keep: Callable[[R], bool] | None = None,
    force_paging: bool = False,
) -> Found[R]:
    """Answer the query of a list call.

    `among` narrows the records beforehand (`IDs=`), `keep` is a further condition (`Statuses=`).

    Raises:
        QueryParseError: `where`, `order` or `If-Modified-Since` cannot be read.
        ApiError: too many records for what is asked.
    """
    where = call.query.get("where")
    node = query.parse_where(where) if where else None
    order = query.parse_order(call.query["order"]) if call.query.get("order") else []
    page = query.parse_page(call.query, is_forced=force_paging)
    _refuse_high_volume(call, table, listing, node, order)
    question = _question(call)
    found = table.memo.get(question)
    if found is None:
        if among is None:
            candidates = _candidates(node, table, listing) if node is not None else None
            among = table if candidates is None else candidates
        rows = _filtered(call, listing, among, node)
        found = _sorted(list(filter(keep, rows) if keep is not None else rows), order, listing)
        if len(table.memo) >= MEMO_SIZE:
            table.memo.clear()
        table.memo[question] = found
    return _page(call, found, page)


def _question(call: Call) -> tuple[object, ...]:
    """Return what decides which records a list call finds, the page apart."""
    asked = sorted(item for item in call.query.items() if item[0] not in {"page", "pagesize"})
    return (call.client_id, call.headers.get("if-modified-since"), *asked)


def _filtered(call: Call, listing: Listing[R], rows: Iterable[R], node: Node | None) -> Iterable[R]:
    """Return the records that fulfil `where` and If-Modified-Since."""
    if node is not None:
        rows = filter(listing.schema.compile(node), rows)
    since = modified_since(call)
    if since is None:
        return rows
    updated = listing.schema.value_of("updateddateutc")
    return (row for row in rows if updated(row) >= since)  # type: ignore[operator]  # a datetime


def _page(call: Call, rows: list[R], page: Page | None) -> Found[R]:
    """Cut out the page; an unpaged list must stay under the threshold."""
    if page is None:
        if len(rows) > call.high_volume:
            raise _high_volume(f"more than {call.high_volume} records would be returned")
        return Found(rows, None)
    start = (page.number - 1) * page.size
    return Found(rows[start : start + page.size], page.json(len(rows)))


def _sorted(rows: list[R], order: list[tuple[str, bool]], listing: Listing[R]) -> list[R]:
    """Sort by what was asked, else by UpdatedDateUTC; the id decides ties."""
    rows.sort(key=lambda row: row.id)
    for name, is_descending in reversed(order or _DEFAULT_ORDER):
        if not order and name not in listing.schema.fields:
            continue
        read = listing.schema.value_of(name)

        def key(row: R, read: Callable[[R], object] = read) -> tuple[bool, object]:
            value = read(row)
            return value is not None, value

        rows.sort(key=key, reverse=is_descending)
    return rows


_DEFAULT_ORDER = [("updateddateutc", False)]


def _candidates(node: Node, table: Table[R], listing: Listing[R]) -> Iterable[R] | None:
    """Return records among which all matches are, from an index; nothing when none applies."""
    if isinstance(node, Either):
        left = _candidates(node.left, table, listing)
        right = _candidates(node.right, table, listing)
        if left is None or right is None:
            return None
        return {row.id: row for side in (left, right) for row in side}.values()
    if isinstance(node, Comparison):
        equal = _by_equality(node, table, listing)
        return _by_date([node], table, listing) if equal is None else equal
    if not isinstance(node, Both):
        return None
    comparisons = query.conjuncts(node)
    found = [
        rows for part in comparisons if (rows := _by_equality(part, table, listing)) is not None
    ]
    if found:
        return min(found, key=len)
    return _by_date(comparisons, table, listing) or _by_side(node, table, listing)


def _by_side(node: Both, table: Table[R], listing: Listing[R]) -> Iterable[R] | None:
    """Use an index of either side of an `and` with parentheses."""
    left = _candidates(node.left, table, listing)
    return left if left is not None else _candidates(node.right, table, listing)


def _by_equality(node: Comparison, table: Table[R], listing: Listing[R]) -> list[R] | None:
    """Look an `==` up by id or in an index."""
    if node.operator != "==" or not isinstance(node.value, str):
        return None
    if node.field in listing.id_fields:
        row = table.get(node.value.lower())
        return [] if row is None else [row]
    index = listing.indexes.get(node.field)
    return table.find(index, node.value.lower()) if index else None


def _by_date(
    comparisons: list[Comparison], table: Table[R], listing: Listing[R]
) -> Iterable[R] | None:
    """Use the date index for a range; bounds are taken as closed, the test does the rest."""
    first: date | None = None
    last: date | None = None
    for node in comparisons:
        if node.field != listing.date_field or not isinstance(node.value, datetime):
            continue
        day = node.value.date()
        if node.operator in {"==", ">", ">="}:
            first = day if first is None else max(first, day)
        if node.operator in {"==", "<", "<="}:
            last = day if last is None else min(last, day)
    return None if first is None and last is None else table.between(first, last)


def _refuse_high_volume(
    call: Call,
    table: Table[R],
    listing: Listing[R],
    node: Node | None,
    order: list[tuple[str, bool]],
) -> None:
    """Refuse unoptimised filters and orders over a large table."""
    if len(table) <= call.high_volume:
        return
    used = (query.fields_of(node) if node is not None else set()) | {name for name, _ in order}
    slow = sorted(used - listing.schema.optimised)
    if slow:
        raise _high_volume(f"the fields {', '.join(slow)} are not optimised")


def _high_volume(reason: str) -> ApiError:
    """Return the 400 of the high-volume threshold; its real wording is not known."""
    return ApiError(
        16, "QueryParseException", f"This request exceeds the high volume threshold: {reason}."
    )


def modified_since(call: Call) -> datetime | None:
    """Return the moment of If-Modified-Since (UTC unless it says otherwise), if it was sent."""
    value = call.headers.get("if-modified-since")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            raise QueryParseError(f"Cannot parse If-Modified-Since '{value}'") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)
