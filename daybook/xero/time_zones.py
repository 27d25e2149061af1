"""The time zones that Xero names, which are those of Windows in capitals and without spaces."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

_ODD: Final = re.compile(r"[^A-Z0-9+()]")
# Names that Windows has given up and Xero still lists.
_GIVEN_UP: Final = {
    "KAMCHATKASTANDARDTIME": "Asia/Kamchatka",
    "MIDATLANTICSTANDARDTIME": "Etc/GMT+2",
}


def _plain(name: str) -> str:
    return _ODD.sub("", name.upper())


_PLACES: Final = {_plain(name): place for name, place in win_tz.items()} | _GIVEN_UP


def zone_of(name: str) -> ZoneInfo | None:
    """The zone of a name such as SINGAPORESTANDARDTIME; None when it is not known."""
    place = _PLACES.get(_plain(name))
    return ZoneInfo(place) if place else None
