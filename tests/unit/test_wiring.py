"""Putting the parts together."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from daybook.errors import SettingError
from daybook.settings import Settings
from daybook.wiring import Wiring

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = """
[sql]
receipts = "SELECT 1 WHERE at >= :first_at AND at < :last_at"
lines = "SELECT 1 WHERE at >= :first_at AND at < :last_at"
tenders = "SELECT 1 WHERE at >= :first_at AND at < :last_at"
"""
NOW_AT = dt.datetime(2026, 3, 14, 23, 30, tzinfo=dt.UTC)


def wired(tmp_path: Path, url: str | None, options: Path | None = None) -> Wiring:
    """A wiring with these settings of the source."""
    address = None if url is None else SecretStr(url)
    return Wiring(Settings(home=tmp_path, pos_url=address, pos_options=options))


def test_the_source_is_chosen_by_its_address(tmp_path: Path) -> None:
    """With the options of the file that the settings name."""
    path = tmp_path / "pos.toml"
    path.write_text(OPTIONS)
    assert "files at /mnt/pos" == wired(tmp_path, "/mnt/pos").source.name
    source = wired(tmp_path, "sql+postgresql://till:s3cret@host/pos", path).source
    assert "database postgresql://host/pos" == source.name


def test_a_missing_address_is_named(tmp_path: Path) -> None:
    """By the variable that holds it."""
    with pytest.raises(SettingError, match=r"^DAYBOOK_POS_URL is missing"):
        _ = wired(tmp_path, None).source


def test_options_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """By the variable and the path."""
    with pytest.raises(SettingError, match=r"pos.toml, which DAYBOOK_POS_OPTIONS names, cannot"):
        _ = wired(tmp_path, "/mnt/pos", tmp_path / "pos.toml").source


def test_a_date_closes_after_the_grace_of_its_source(tmp_path: Path) -> None:
    """Of the source in question; without one, after the minutes of the setting."""
    path = tmp_path / "pos.toml"
    path.write_text("[files]\ngrace_minutes = 90\n" + OPTIONS)
    one = wired(tmp_path, "/mnt/pos", path)
    assert dt.timedelta(minutes=90) == one.closing_rule(NOW_AT).closed_after
    assert dt.timedelta(0) == one.closing_rule(NOW_AT, "sql+sqlite://").closed_after
    assert dt.timedelta(0) == wired(tmp_path, None).closing_rule(NOW_AT).closed_after


def test_address_and_token_are_not_shown(tmp_path: Path) -> None:
    """An address may hold a password."""
    settings = Settings(
        home=tmp_path, pos_url=SecretStr("sql+x://a:s3cret@host"), pos_token=SecretStr("t0ken")
    )
    assert "s3cret" not in repr(settings)
    assert "t0ken" not in repr(settings)


def test_a_source_may_have_limits_of_its_own(tmp_path: Path) -> None:
    """Bytes and files by source; the others have the limits of all."""
    one = Wiring(Settings(home=tmp_path, attachment_limits="files=9000000/5,aspire=2500000/10"))
    limits = {key: (each.bytes_max, each.count_max) for key, each in one.source_limits.items()}
    assert {"files": (9_000_000, 5), "aspire": (2_500_000, 10)} == limits


def test_a_failed_upload_waits_as_the_settings_say(tmp_path: Path) -> None:
    """The first wait and the number of attempts."""
    one = Wiring(Settings(home=tmp_path, attachment_wait_seconds=60, attachment_attempts=3))
    assert (3, dt.timedelta(minutes=1)) == (
        one.retry_policy.attempts_max,
        one.retry_policy.first_wait,
    )
