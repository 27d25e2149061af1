"""Frames to the text of COPY and back."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from till import NOON, SINGAPORE, Receipt, batch

from daybook.errors import InputError
from daybook.sales.encoding import (
    LINE_TYPES,
    RECEIPT_TYPES,
    TENDER_TYPES,
    batch_of,
    from_text,
    lines_of,
    staged_receipts,
    tenders_of,
    to_text,
)

# What has broken CSV before: quotes, line ends, the end-of-data mark, nothing, all of Unicode.
HOSTILE = st.one_of(
    st.sampled_from(
        ['"', '""', "a,b", "\n", "\r\n", "\\.", "\\", "", " ", "NULL", "\\N", "\U0001f9fe"]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)
AMOUNT = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Receipt,
            receipt_id_pos=HOSTILE,
            store_id=HOSTILE,
            sold_at=st.integers(0, 10**15).map(
                lambda at: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at)
            ),
            is_refund=st.booleans(),
            lines=st.lists(st.tuples(HOSTILE, HOSTILE, AMOUNT, AMOUNT), max_size=3).map(tuple),
            tenders=st.lists(st.tuples(HOSTILE, AMOUNT), max_size=2).map(tuple),
        ),
        max_size=5,
    )
)
def test_a_batch_comes_back_as_it_was(receipts: list[Receipt]) -> None:
    """Any names, times and amounts survive the way there and back."""
    frames = batch(receipts)
    back = batch_of(
        to_text(frames.receipts, list(RECEIPT_TYPES)),
        to_text(frames.lines, list(LINE_TYPES)),
        to_text(frames.tenders, list(TENDER_TYPES)),
    )
    for before, after in (
        (frames.receipts, back.receipts),
        (frames.lines, back.lines),
        (frames.tenders, back.tenders),
    ):
        assert_frame_equal(before, after.astype(before.dtypes.to_dict()), check_dtype=True)


def test_a_long_text_is_not_torn_inside_a_name() -> None:
    """Line ends in names matter only where the reader works block by block."""
    lines = batch([Receipt(lines=(("a\n" * 20, "GST", 1, 0),))]).lines
    many = pd.concat([lines] * 40_000, ignore_index=True)
    back = from_text(to_text(many, list(LINE_TYPES)), LINE_TYPES)
    assert (40_000, ["a\n" * 20]) == (len(back), back["category"].unique().tolist())


def test_names_come_back_as_categories() -> None:
    """Few distinct names are held once."""
    frames = batch([Receipt()])
    back = from_text(to_text(frames.lines, list(LINE_TYPES)), LINE_TYPES)
    assert "category" == str(back["category"].dtype)


def test_a_nul_character_is_refused() -> None:
    """PostgreSQL cannot store it; a sentence says so before it tries."""
    with pytest.raises(InputError, match="NUL"):
        staged_receipts(batch([Receipt("R\0")]), [SINGAPORE])


def test_only_the_newest_version_is_staged() -> None:
    """Two versions of a receipt in one batch are one row, with its date and hash."""
    newer = Receipt(updated_at=NOON + dt.timedelta(hours=1))
    rows = staged_receipts(batch([newer, Receipt()]), [SINGAPORE]).decode().splitlines()
    assert ["0", '"S01"', '"R1"'] == rows[0].split(",")[:3]
    assert ["2026-03-14"] == rows[0].split(",")[8:9]
    assert 1 == len(rows)


def test_lines_and_tenders_go_under_the_ids_that_were_given() -> None:
    """Those of receipts that were not written stay behind."""
    frames = batch([Receipt("R1"), Receipt("R2"), Receipt("R3")])
    written = b"2,300\n0,100\n"
    assert [b"100,1", b"300,1"] == [row[:5] for row in lines_of(frames, written).splitlines()]
    assert [b'100,1,"Cash",1090', b'300,1,"Cash",1090'] == tenders_of(frames, written).splitlines()


def test_nothing_written_leaves_nothing_to_write() -> None:
    """No ids, no lines."""
    assert b"" == lines_of(batch([Receipt()]), b"")
