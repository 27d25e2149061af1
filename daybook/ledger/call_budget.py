"""The calls that Xero allows, shared by every process and machine through one table.

Xero counts in fixed windows whose start nobody knows, so we count in sliding ones: at most 60 calls
in any 60 seconds is at most 60 in every fixed minute. A call counts from the moment it may have
reached Xero. What Xero's replies say is believed: calls it counted that are not in the table were
made elsewhere, and a wait it asks for holds for all.

Each decision is one short transaction under an advisory lock per organisation. A call whose process
died stays in progress for `lease_seconds`. Time is the clock's, never the database's.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from daybook.errors import RateLimited
from daybook.ledger.tables import xero_calls, xero_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock

_MINUTE: Final = dt.timedelta(seconds=60)
_DAY: Final = dt.timedelta(days=1)
# Clocks of machines differ a little, and Xero's need not tick like ours.
_MARGIN: Final = dt.timedelta(seconds=0.5)
# A request arrives within this time of its start, or its reply is back earlier still.
_ARRIVAL: Final = dt.timedelta(seconds=2)
# No limit counts them so long, but a backfill of some days is compared with its forecast.
_KEPT: Final = dt.timedelta(days=30)
_PRUNE_EVERY: Final = 1000
_WINDOWS: Final = {
    "minute": _MINUTE + _MARGIN,
    "day": _DAY + _MARGIN,
    "appminute": _MINUTE + _MARGIN,
    "concurrent": _MINUTE,
}

_APP: Final = "app"
_APP_NEARLY_FULL: Final = 0.9
_FIRST_POLL_SECONDS: Final = 0.02
_LONGEST_POLL_SECONDS: Final = 0.25
# These transactions need not survive a crash of the database: not waiting for its disk halves
# the cost of a call, and what was lost Xero's headers put right.
_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(:scope, 7301)),"
    " set_config('synchronous_commit', 'off', true)"
)

# One statement, since it runs twice for every call to Xero. A call counts in the minute from the
# moment it reached Xero: at its reply at the latest, and soon after its start in any case.
_USAGE: Final = text(
    """
    SELECT count(*) FILTER (WHERE finished_at IS NULL AND started_at > :lease_since)
               AS in_progress_count,
           count(*) FILTER (WHERE least(finished_at, started_at + :arrival) > :minute_since)
               AS minute_count,
           (SELECT count(*) FROM xero_calls WHERE started_at > :earliest) AS app_count,
           (SELECT count(*) FROM xero_calls
             WHERE tenant_id_xero = :tenant_id AND started_at > :day_since) AS day_count
      FROM xero_calls
     WHERE tenant_id_xero = :tenant_id AND started_at > least(:earliest, :lease_since)
    """
)
_MINUTE_REACHED: Final = text(
    """
    SELECT least(finished_at, started_at + :arrival, :now) AS reached_at
      FROM xero_calls
     WHERE tenant_id_xero = :tenant_id AND started_at > :earliest
       AND least(finished_at, started_at + :arrival) > :minute_since
     ORDER BY reached_at
    """
)


class LimitsSeen(Protocol):
    """What one reply said about the limits; None where it said nothing."""

    @property
    def minute_remaining(self) -> int | None:
        """Calls left to the organisation this minute."""
        ...

    @property
    def day_remaining(self) -> int | None:
        """Calls left to the organisation today."""
        ...

    @property
    def app_minute_remaining(self) -> int | None:
        """Calls left to the app this minute."""
        ...

    @property
    def retry_after_seconds(self) -> int | None:
        """How long a refused call should wait."""
        ...

    @property
    def problem(self) -> str | None:
        """Which limit refused the call: concurrent, minute, day or appminute."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be used; `reserve_count` calls of the day are left to others (the midnight run)."""

    concurrent_count: int = 5
    minute_count: int = 60
    day_count: int = 5000
    app_minute_count: int = 10_000
    reserve_count: int = 0
    lease_seconds: int = 120
    wait_seconds_max: int = 900


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to an organisation now; `day_count` without the reserve."""

    concurrent_count: int
    minute_count: int
    day_count: int
    app_minute_count: int


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """Calls that Xero counted and we did not make, until when they count, and a wait asked for."""

    count: int
    until_at: dt.datetime
    blocked_until_at: dt.datetime | None

    def counted(self, now_at: dt.datetime) -> int:
        return self.count if self.until_at > now_at else 0


@dataclass(frozen=True, slots=True)
class _Usage:
    """What is used of one organisation's limits, and of the app's, at one moment."""

    now_at: dt.datetime
    in_progress_count: int
    minute_count: int
    day_count: int
    app_minute_count: int
    elsewhere: dict[str, _Elsewhere]

    def elsewhere_count(self, limit_name: str) -> int:
        seen = self.elsewhere.get(limit_name)
        return seen.counted(self.now_at) if seen else 0

    def blocked_seconds(self, limit_name: str) -> float:
        """How long Xero asked us to wait for this limit, from now; 0 when it did not."""
        seen = self.elsewhere.get(limit_name)
        if seen is None or seen.blocked_until_at is None:
            return 0
        return max(0.0, (seen.blocked_until_at - self.now_at).total_seconds())


@dataclass(slots=True)
class LedgerCallBudget:
    """The budget of one process over the shared table; safe for threads."""

    engine: Engine
    clock: Clock
    limits: Limits = field(default_factory=Limits)

    def acquire(self, tenant_id_xero: str) -> int:
        """Wait until a call is allowed, record that it starts and return its id.

        Raises:
            RateLimited: the day is used up, or it was not this process's turn for a long time.
        """
        waited_seconds = 0.0
        poll_seconds = _FIRST_POLL_SECONDS
        while True:
            with self.engine.begin() as connection:
                connection.execute(_LOCK, {"scope": tenant_id_xero})
                usage = self._usage(connection, tenant_id_xero)
                self._check_day(connection, usage, tenant_id_xero)
                problem, wait_seconds = self._wait(connection, usage, tenant_id_xero)
                if not problem:
                    return self._start(connection, tenant_id_xero, usage.now_at)
            if waited_seconds > self.limits.wait_seconds_max:
                raise RateLimited(
                    "Xero's limits kept this call waiting too long; go on in a minute.", problem, 60
                )
            if problem == "concurrent" and not wait_seconds:
                wait_seconds = poll_seconds
                poll_seconds = min(2 * poll_seconds, _LONGEST_POLL_SECONDS)
            self.clock.sleep(wait_seconds)
            waited_seconds += wait_seconds

    def release(self, call_id: int, seen: LimitsSeen) -> None:
        """Record that the call has ended, and correct the budget by what Xero said."""
        with self.engine.begin() as connection:
            tenant_id = connection.execute(
                update(xero_calls)
                .where(xero_calls.c.id == call_id)
                .values(finished_at=self.clock.now())
                .returning(
                    xero_calls.c.tenant_id_xero,
                    func.set_config("synchronous_commit", "off", True),  # noqa: FBT003 - SQL
                )
            ).scalar_one()
            usage = self._usage(connection, tenant_id)
            for limit_name, new in self._corrections(usage, seen):
                values = {
                    "elsewhere_count": new.count,
                    "elsewhere_until_at": new.until_at,
                    "blocked_until_at": new.blocked_until_at,
                }
                scope = _APP if limit_name == "appminute" else tenant_id
                connection.execute(
                    insert(xero_limits)
                    .values(scope=scope, limit_name=limit_name, **values)
                    .on_conflict_do_update(index_elements=["scope", "limit_name"], set_=values)
                )

    def remaining(self, tenant_id_xero: str) -> Remaining:
        """Return what is left to the organisation now, for planning a large run."""
        with self.engine.connect() as connection:
            usage = self._usage(connection, tenant_id_xero)
        used_minute = usage.minute_count + usage.elsewhere_count("minute")
        used_day = usage.day_count + usage.elsewhere_count("day")
        used_app = usage.app_minute_count + usage.elsewhere_count("appminute")
        limits = self.limits
        day_count = limits.day_count - limits.reserve_count - used_day
        if usage.blocked_seconds("day"):
            day_count = 0
        return Remaining(
            concurrent_count=max(0, limits.concurrent_count - usage.in_progress_count),
            minute_count=max(0, limits.minute_count - used_minute),
            day_count=max(0, day_count),
            app_minute_count=max(0, limits.app_minute_count - used_app),
        )

    def used_since(self, tenant_id_xero: str, since_at: dt.datetime) -> int:
        """Return how many calls all processes have begun since then; 30 days are remembered."""
        query = select(func.count()).where(
            xero_calls.c.tenant_id_xero == tenant_id_xero, xero_calls.c.started_at >= since_at
        )
        with self.engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def _start(self, connection: Connection, tenant_id: str, now_at: dt.datetime) -> int:
        """Record a call; now and then forget those of long ago."""
        call_id: int = connection.execute(
            insert(xero_calls)
            .values(tenant_id_xero=tenant_id, started_at=now_at)
            .returning(xero_calls.c.id)
        ).scalar_one()
        if call_id % _PRUNE_EVERY == 0:
            connection.execute(delete(xero_calls).where(xero_calls.c.started_at < now_at - _KEPT))
        return call_id

    def _usage(self, connection: Connection, tenant_id: str) -> _Usage:
        """Count what is used at this moment; near the app's limit, one process at a time."""
        now_at = self.clock.now()
        times = self._times(tenant_id, now_at)
        row = connection.execute(_USAGE, times).one()
        if row.app_count >= self.limits.app_minute_count * _APP_NEARLY_FULL:
            connection.execute(_LOCK, {"scope": _APP})
            row = connection.execute(_USAGE, times).one()
        return _Usage(
            now_at=now_at,
            in_progress_count=row.in_progress_count,
            minute_count=row.minute_count,
            day_count=row.day_count,
            app_minute_count=row.app_count,
            elsewhere=self._elsewhere(connection, tenant_id),
        )

    def _times(self, tenant_id: str, now_at: dt.datetime) -> dict[str, object]:
        """Return what the statements compare with: whose calls, and since when they count."""
        minute_since = now_at - _MINUTE - _MARGIN
        return {
            "tenant_id": tenant_id,
            "now": now_at,
            "arrival": _ARRIVAL,
            "minute_since": minute_since,
            "earliest": minute_since - _ARRIVAL,
            "day_since": now_at - _DAY - _ARRIVAL - _MARGIN,
            "lease_since": now_at - dt.timedelta(seconds=self.limits.lease_seconds),
        }

    def _elsewhere(self, connection: Connection, tenant_id: str) -> dict[str, _Elsewhere]:
        rows = connection.execute(
            select(xero_limits).where(xero_limits.c.scope.in_([tenant_id, _APP]))
        )
        return {
            row.limit_name: _Elsewhere(
                row.elsewhere_count, row.elsewhere_until_at, row.blocked_until_at
            )
            for row in rows
        }

    def _check_day(self, connection: Connection, usage: _Usage, tenant_id: str) -> None:
        """Raise when the day's calls, without the reserve, are used up."""
        wait_seconds = usage.blocked_seconds("day")
        if not wait_seconds:
            allowed = self.limits.day_count - self.limits.reserve_count
            over = usage.day_count + usage.elsewhere_count("day") - allowed + 1
            if over <= 0:
                return
            wait_seconds = self._day_wait_seconds(connection, usage, tenant_id, over)
        go_on_at = usage.now_at + dt.timedelta(seconds=wait_seconds)
        raise RateLimited(
            "Xero's calls of this day are used up for this organisation; "
            f"Daybook goes on at {go_on_at:%Y-%m-%d %H:%M} UTC.",
            "day",
            math.ceil(wait_seconds),
        )

    def _day_wait_seconds(
        self, connection: Connection, usage: _Usage, tenant_id: str, over: int
    ) -> float:
        """Return when so many of the day's calls will not count any more."""
        ends = []
        oldest = connection.execute(
            select(xero_calls.c.started_at)
            .where(
                xero_calls.c.tenant_id_xero == tenant_id,
                xero_calls.c.started_at > usage.now_at - _DAY - _ARRIVAL - _MARGIN,
            )
            .order_by(xero_calls.c.started_at)
            .offset(over - 1)
            .limit(1)
        ).scalar_one_or_none()
        if oldest is not None:
            ends.append(oldest + _DAY + _ARRIVAL + _MARGIN)
        if usage.elsewhere_count("day"):
            ends.append(usage.elsewhere["day"].until_at)
        end_at = min(ends, default=usage.now_at + _DAY)
        return max(1.0, (end_at - usage.now_at).total_seconds())

    def _wait(self, connection: Connection, usage: _Usage, tenant_id: str) -> tuple[str, float]:
        """Return which limit makes a call wait and for how long; ("", 0) when none does."""
        for limit_name in ("minute", "appminute", "concurrent"):
            seconds = usage.blocked_seconds(limit_name)
            if seconds:
                return limit_name, seconds
        if usage.minute_count + usage.elsewhere_count("minute") >= self.limits.minute_count:
            return "minute", self._minute_wait_seconds(connection, usage, tenant_id)
        used_app = usage.app_minute_count + usage.elsewhere_count("appminute")
        if used_app >= self.limits.app_minute_count:
            return "appminute", 1.0
        if usage.in_progress_count >= self.limits.concurrent_count:
            return "concurrent", 0.0
        return "", 0.0

    def _minute_wait_seconds(self, connection: Connection, usage: _Usage, tenant_id: str) -> float:
        """Return when enough of the minute's calls will not count any more."""
        reached = connection.execute(
            _MINUTE_REACHED, self._times(tenant_id, usage.now_at)
        ).scalars()
        ends = [reached_at + _MINUTE + _MARGIN for reached_at in reached]
        if usage.elsewhere_count("minute"):
            seen = usage.elsewhere["minute"]
            ends = sorted([*ends, *[seen.until_at] * seen.count])
        end_at: dt.datetime = ends[len(ends) - self.limits.minute_count]
        return (end_at - usage.now_at).total_seconds()

    def _corrections(self, usage: _Usage, seen: LimitsSeen) -> Iterator[tuple[str, _Elsewhere]]:
        """Yield what has to be stored because Xero counts otherwise than we do."""
        left = {
            "minute": (seen.minute_remaining, self.limits.minute_count - usage.minute_count),
            "day": (seen.day_remaining, self.limits.day_count - usage.day_count),
            "appminute": (
                seen.app_minute_remaining,
                self.limits.app_minute_count - usage.app_minute_count,
            ),
        }
        now_at = usage.now_at
        for limit_name, window in _WINDOWS.items():
            known = usage.elsewhere.get(limit_name) or _Elsewhere(0, now_at, None)
            new = known
            by_xero, by_us = left.get(limit_name, (None, 0))
            if by_xero is not None and max(0, by_us - by_xero) != known.counted(now_at):
                new = replace(new, count=max(0, by_us - by_xero), until_at=now_at + window)
            if seen.problem == limit_name and seen.retry_after_seconds is not None:
                wait = dt.timedelta(seconds=seen.retry_after_seconds)
                new = replace(new, blocked_until_at=now_at + wait)
            if new != known:
                yield limit_name, new
