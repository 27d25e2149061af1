"""Xero's names of time zones."""

from __future__ import annotations

import datetime as dt

import pytest

from daybook.xero.time_zones import zone_of

AT = dt.datetime(2026, 3, 31, 17, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("SINGAPORESTANDARDTIME", "2026-04-01T01:30+0800"),
        ("NEWZEALANDSTANDARDTIME", "2026-04-01T06:30+1300"),
        ("AUSCENTRALWSTANDARDTIME", "2026-04-01T02:15+0845"),
        ("PACIFICSTANDARDTIME(MEXICO)", "2026-03-31T10:30-0700"),
        ("UTC", "2026-03-31T17:30+0000"),
        ("UTC02", "2026-03-31T15:30-0200"),
        ("UTC+12", "2026-04-01T05:30+1200"),
        ("KAMCHATKASTANDARDTIME", "2026-04-01T05:30+1200"),
        ("MIDATLANTICSTANDARDTIME", "2026-03-31T15:30-0200"),
    ],
)
def test_zone_of_xero_tells_the_local_time(name: str, local: str) -> None:
    """Signs, brackets and given-up names included."""
    zone = zone_of(name)
    assert zone is not None
    assert local == f"{AT.astimezone(zone):%Y-%m-%dT%H:%M%z}"


@pytest.mark.parametrize("name", ["", "ATLANTISSTANDARDTIME"])
def test_zone_that_nobody_knows_is_none(name: str) -> None:
    """The caller decides what to do then."""
    assert zone_of(name) is None
