"""Tables and their indexes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daybook.sandbox.books import Table

FIRST = date(2026, 1, 1)


@dataclass(slots=True)
class Row:
    """A record with an id, a name and a day."""

    id: str
    name: str
    day: date


WRITES = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["", "a", "b"]), st.integers(0, 4)), max_size=30
)


@given(WRITES, st.integers(0, 4), st.integers(0, 4))
def test_indexes_agree_with_a_scan(
    writes: list[tuple[int, str, int]], first: int, last: int
) -> None:
    """After any writes the indexes find exactly what looking at every record finds."""
    changes: list[str] = []
    table: Table[Row] = Table(
        changes.append, name=lambda row: row.name or None, date=lambda row: row.day
    )
    for key, name, day in writes:
        table.put(Row(str(key), name, FIRST + timedelta(days=day)))
    for name in ("a", "b"):
        expected = {row.id for row in table if row.name == name}
        assert expected == {row.id for row in table.find("name", name)}
    low, high = FIRST + timedelta(days=first), FIRST + timedelta(days=last)
    expected = {row.id for row in table if low <= row.day <= high}
    assert expected == {row.id for row in table.between(low, high)}
    assert {row.id for row in table} == {row.id for row in table.between(None, None)}
    assert len(writes) == len(changes)


def test_record_without_key_is_in_no_index() -> None:
    """None as key means that the index does not know the record."""
    table: Table[Row] = Table(lambda _: None, name=lambda row: row.name or None)
    table.put(Row("1", "", FIRST))
    assert ([], 1) == (table.find("name", ""), len(table))
    assert table.get("1") is not None
    assert ("name",) == table.indexes()
