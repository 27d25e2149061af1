"""Receipts made up for measuring: any number of them, the same each time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from daybook.sales.frames import ReceiptBatch
from daybook.sales.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIME_ZONE, CUTOFF_HOUR = "Asia/Singapore", 4
STORES: Final = tuple(
    Store(f"S{number:02}", f"Store {number}", TIME_ZONE, "SGD", dt.time(CUTOFF_HOUR))
    for number in range(30)
)
LINES_PER_RECEIPT: Final = 3
_FIRST_AT: Final = np.datetime64("2025-01-01T00:00:00", "us")
_DAY_US: Final = 86_400_000_000
_VERSION_EVERY, _VOID_EVERY, _REFUND_EVERY = 50, 97, 31
_CATEGORIES: Final = [f"Category {number:02}" for number in range(12)]
_TAX_CODES: Final = ["GST 9%", "SST 8%", "No tax"]
_TENDERS: Final = ["Cash", "GrabPay", "Mastercard", "NETS", "VISA"]


def made_receipts(line_count: int, *, first_day: int = 0, day_count: int = 365) -> ReceiptBatch:
    """About so many lines, three to a receipt, over these days and 30 stores.

    One receipt in 50 comes again in a newer version, one in 97 is voided, one in 31 is a refund.
    A category has one tax. The lines of a receipt do not stand together.
    """
    random = np.random.default_rng(first_day)
    count = line_count // LINES_PER_RECEIPT
    base = np.arange(count - count // _VERSION_EVERY)
    again = base[::_VERSION_EVERY][: count - len(base)]
    keys = np.concatenate([base, again])
    sold_us = random.integers(0, day_count * _DAY_US, len(base)) + first_day * _DAY_US
    store = random.integers(0, len(STORES), len(base))
    number = np.arange(len(keys), dtype=np.int64)
    sold_at = _FIRST_AT + sold_us[keys].astype("timedelta64[us]")
    is_again = number >= len(base)
    receipts = pd.DataFrame(
        {
            "receipt_key": number,
            "store_id": _named([one.store_id for one in STORES], store[keys]),
            "receipt_id_pos": _ids(first_day, keys),
            "sold_at": pd.Series(sold_at).dt.tz_localize("UTC"),
            "updated_at": pd.Series(sold_at + is_again * np.timedelta64(1, "h")).dt.tz_localize(
                "UTC"
            ),
            "currency": _named(["SGD"], np.zeros(len(keys), dtype=np.int64)),
            "is_refund": keys % _REFUND_EVERY == 0,
            "is_voided": keys % _VOID_EVERY == 0,
        }
    )
    return ReceiptBatch(receipts, _lines(keys, random), _tenders(keys, random))


def _lines(keys: NDArray[np.int64], random: np.random.Generator) -> pd.DataFrame:
    receipt_key = np.tile(np.arange(len(keys)), LINES_PER_RECEIPT)
    count = len(receipt_key)
    sign = np.where(keys[receipt_key] % _REFUND_EVERY == 0, -1, 1)
    net = random.integers(100, 5000, count) * sign
    category = random.integers(0, len(_CATEGORIES), count)
    tax = category % len(_TAX_CODES)
    return pd.DataFrame(
        {
            "receipt_key": receipt_key,
            "line_no": np.repeat(np.arange(1, LINES_PER_RECEIPT + 1, dtype=np.int32), len(keys)),
            "category": _named(_CATEGORIES, category),
            "tax_code": _named(_TAX_CODES, tax),
            "net_minor": net,
            "tax_minor": net * np.array([9, 8, 0])[tax] // 100,
            "discount_minor": np.zeros(count, dtype=np.int64),
        }
    )


def _tenders(keys: NDArray[np.int64], random: np.random.Generator) -> pd.DataFrame:
    count = len(keys)
    return pd.DataFrame(
        {
            "receipt_key": np.arange(count),
            "tender_no": np.ones(count, dtype=np.int32),
            "tender": _named(_TENDERS, random.integers(0, len(_TENDERS), count)),
            "amount_minor": random.integers(100, 20_000, count),
        }
    )


def _named(names: list[str], codes: NDArray[np.int64]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.astype(np.int8), categories=pd.Index(names, dtype="str"))


def _ids(first_day: int, keys: NDArray[np.int64]) -> pd.Series[str]:
    """Ids as tills make them, a few digits behind a letter."""
    return pd.Series(np.char.add(f"R{first_day:04}-", keys.astype("U9")), dtype="str")
