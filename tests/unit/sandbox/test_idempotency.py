"""Replies kept under keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daybook.sandbox import idempotency
from daybook.sandbox.idempotency import ReplayCache, fingerprint
from daybook.sandbox.routing import Reply
from daybook.sandbox.validation import ApiError

NOW = datetime(2026, 7, 14, tzinfo=UTC)
PRINT = fingerprint("PUT", "/Invoices", "t", b"{}")


def test_reply_is_kept_for_six_minutes_from_the_first_call() -> None:
    """A replay does not prolong the time."""
    cache = ReplayCache()
    cache.keep("app", "k", PRINT, Reply(200, b"first"), NOW)
    for minutes, body in ((3, b"first"), (5.9, b"first"), (6, None)):
        kept = cache.replay("app", "k", PRINT, NOW + timedelta(minutes=minutes))
        assert body == (kept.body if kept else None)


def test_key_of_another_app_is_another_key() -> None:
    """Keys are per app, whatever the organisation."""
    cache = ReplayCache()
    cache.keep("app", "k", PRINT, Reply(200), NOW)
    assert cache.replay("other", "k", PRINT, NOW) is None
    other_tenant = fingerprint("PUT", "/Invoices", "u", b"{}")
    with pytest.raises(ApiError, match="k is used with a different request"):
        cache.replay("app", "k", other_tenant, NOW)


def test_parts_of_a_request_do_not_run_into_each_other() -> None:
    """Moving a byte from the path to the body is another request."""
    assert fingerprint("PUT", "/a", "t", b"bc") != fingerprint("PUT", "/ab", "t", b"c")


def test_old_replies_are_dropped() -> None:
    """Keeping a reply clears those that ran out."""
    cache = ReplayCache()
    for minute in range(20):
        cache.keep("app", str(minute), PRINT, Reply(200), NOW + timedelta(minutes=minute))
    assert len(cache) <= 6


def test_replies_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the clock stands still the oldest replies go when there are too many bytes."""
    monkeypatch.setattr(idempotency, "MAX_BYTES", 250)
    cache = ReplayCache()
    for number in range(5):
        cache.keep("app", str(number), PRINT, Reply(200, bytes(100)), NOW)
    kept = [n for n in range(5) if cache.replay("app", str(n), PRINT, NOW) is not None]
    assert [3, 4] == kept
