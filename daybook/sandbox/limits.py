"""Xero's rate limits: windows per app and organisation, one per app, calls in progress."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

DAY_LIMITS = {"starter": 1000, "core": 5000}
MINUTE_SECONDS = 60
DAY_SECONDS = 86_400


@dataclass(slots=True)
class LimitSettings:
    """What is allowed; a test may change it while the sandbox runs."""

    enabled: bool = True
    concurrent: int = 5
    minute: int = 60
    day: int = 5000
    app_minute: int = 10_000


class Window(msgspec.Struct):
    """A fixed window: which one it is, and calls counted in it."""

    index: int = -1
    used: int = 0


@dataclass(slots=True)
class Usage:
    """The windows of one app and organisation."""

    minute: Window = field(default_factory=Window)
    day: Window = field(default_factory=Window)
    in_progress: int = 0


class Counted(msgspec.Struct):
    """Calls counted so far, as the state file keeps them; without a tenant those of the app."""

    client_id: str
    tenant_id: str
    minute: Window
    day: Window


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that is used up; `retry_after` is absent where Xero does not promise it."""

    problem: str
    retry_after: int | None


class Limiter:
    """Counts calls. Windows start at a moment that differs for each organisation."""

    def __init__(self, settings: LimitSettings) -> None:
        """Start with nothing used."""
        self.settings = settings
        self._usage: dict[tuple[str, str], Usage] = {}
        self._app: dict[str, Window] = {}
        self.unsaved: set[tuple[str, str]] = set()
        """The app and tenant of what the state file has not got yet."""

    def usage(self, client_id: str, tenant_id: str) -> Usage:
        """Return the windows of an app and organisation."""
        found = self._usage.get((client_id, tenant_id))
        if found is None:
            found = self._usage[client_id, tenant_id] = Usage()
        return found

    def take_app(self, client_id: str, now: datetime) -> Breach | None:
        """Count a call against the app's own minute."""
        window, timestamp = self._app_window(client_id), now.timestamp()
        _roll(window, timestamp, MINUTE_SECONDS)
        if self.settings.enabled and window.used >= self.settings.app_minute:
            return Breach("appminute", _seconds_left(timestamp, MINUTE_SECONDS))
        window.used += 1
        self.unsaved.add((client_id, ""))
        return None

    def take(self, client_id: str, tenant_id: str, now: datetime) -> Breach | None:
        """Count a call against the organisation's minute and day, unless one is used up."""
        usage = self.usage(client_id, tenant_id)
        settings = self.settings
        shifted = now.timestamp() + _shift(tenant_id)
        _roll(usage.minute, shifted, MINUTE_SECONDS)
        _roll(usage.day, shifted, DAY_SECONDS)
        if settings.enabled:
            if usage.in_progress > settings.concurrent:
                return Breach("concurrent", None)
            if usage.day.used >= settings.day:
                return Breach("day", _seconds_left(shifted, DAY_SECONDS))
            if usage.minute.used >= settings.minute:
                return Breach("minute", _seconds_left(shifted, MINUTE_SECONDS))
        usage.minute.used += 1
        usage.day.used += 1
        self.unsaved.add((client_id, tenant_id))
        return None

    def _app_window(self, client_id: str) -> Window:
        """Return the window of an app."""
        found = self._app.get(client_id)
        if found is None:
            found = self._app[client_id] = Window()
        return found

    def app_header(self, client_id: str) -> dict[str, str]:
        """Return the header every authenticated answer carries."""
        window = self._app_window(client_id)
        used = window.used if self.settings.enabled else 0
        return {"x-appminlimit-remaining": str(max(0, self.settings.app_minute - used))}

    def headers(self, client_id: str, tenant_id: str) -> dict[str, str]:
        """Return the remaining-calls headers; without limits they stay at full."""
        settings = self.settings
        minute, day, app_minute = settings.minute, settings.day, settings.app_minute
        if settings.enabled:
            usage = self.usage(client_id, tenant_id)
            minute = max(0, minute - usage.minute.used)
            day = max(0, day - usage.day.used)
            app_minute = max(0, app_minute - self._app_window(client_id).used)
        return {
            "x-minlimit-remaining": str(minute),
            "x-daylimit-remaining": str(day),
            "x-appminlimit-remaining": str(app_minute),
        }

    def as_json(self, now: datetime) -> dict[str, object]:
        """Return settings and what every organisation has used."""
        used = []
        for (client_id, tenant_id), usage in self._usage.items():
            shifted = now.timestamp() + _shift(tenant_id)
            _roll(usage.minute, shifted, MINUTE_SECONDS)
            _roll(usage.day, shifted, DAY_SECONDS)
            used.append(
                {
                    "client_id": client_id,
                    "tenant_id": tenant_id,
                    "minute_used": usage.minute.used,
                    "day_used": usage.day.used,
                    "in_progress": usage.in_progress,
                    "minute_resets_in_seconds": _seconds_left(shifted, MINUTE_SECONDS),
                    "day_resets_in_seconds": _seconds_left(shifted, DAY_SECONDS),
                }
            )
        settings = self.settings
        return {
            "enabled": settings.enabled,
            "concurrent": settings.concurrent,
            "minute": settings.minute,
            "day": settings.day,
            "app_minute": settings.app_minute,
            "organisations": used,
        }

    def set_used(self, client_id: str, tenant_id: str, now: datetime, used: dict[str, int]) -> None:
        """Pretend that `minute_used` or `day_used` calls were already made."""
        usage = self.usage(client_id, tenant_id)
        shifted = now.timestamp() + _shift(tenant_id)
        _roll(usage.minute, shifted, MINUTE_SECONDS)
        _roll(usage.day, shifted, DAY_SECONDS)
        usage.minute.used = used.get("minute_used", usage.minute.used)
        usage.day.used = used.get("day_used", usage.day.used)
        self.unsaved.add((client_id, tenant_id))

    def counted(self, client_id: str, tenant_id: str) -> Counted:
        """Return the windows of an app and organisation, or without one those of the app."""
        if not tenant_id:
            return Counted(client_id, "", self._app.get(client_id, Window()), Window())
        usage = self._usage.get((client_id, tenant_id), Usage())
        return Counted(client_id, tenant_id, usage.minute, usage.day)

    def all_counted(self) -> Iterator[Counted]:
        """Go through everything that was counted."""
        for client_id in self._app:
            yield self.counted(client_id, "")
        for client_id, tenant_id in self._usage:
            yield self.counted(client_id, tenant_id)

    def restore(self, counted: Counted) -> None:
        """Go on counting where a stop or a kill ended it."""
        if not counted.tenant_id:
            self._app[counted.client_id] = counted.minute
            return
        usage = self.usage(counted.client_id, counted.tenant_id)
        usage.minute, usage.day = counted.minute, counted.day

    def forget(self) -> None:
        """Start all windows afresh."""
        self.unsaved |= {*self._usage, *((client_id, "") for client_id in self._app)}
        self._usage.clear()
        self._app.clear()


@cache
def _shift(tenant_id: str) -> int:
    """Return by how many seconds this organisation's windows are moved."""
    return zlib.crc32(tenant_id.encode()) % DAY_SECONDS


def _roll(window: Window, timestamp: float, seconds: int) -> None:
    """Begin a new window when the old one is over."""
    index = int(timestamp // seconds)
    if index != window.index:
        window.index, window.used = index, 0


def _seconds_left(timestamp: float, seconds: int) -> int:
    """Return whole seconds until the window ends, at least 1."""
    return max(1, math.ceil(seconds - timestamp % seconds))
