"""What people and attackers attach: never a crash, never a wrong or unreadable upload."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from fit_place import Place, difference, problems, shown
from odd_files import OddFile, odd_files

from daybook.expenses.attachment_verdicts import RefusalCode

if TYPE_CHECKING:
    from daybook.expenses.attachment_verdicts import Fitted
    from daybook.spend.fit.fitter import Fitter

# All files are tried once, by one worker.
pytestmark = pytest.mark.xdist_group("odd files")
COUNT_MIN = 200
DIFFERENCE_MAX = 8.0

Outcome = tuple[OddFile, "Fitted"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, fitter: Fitter) -> list[Outcome]:
    """Every odd file, alone in its document."""
    place = Place(tmp_path_factory.mktemp("odd"), fitter)
    return [(odd, place.fit((odd.name, odd.content))) for odd in odd_files()]


def test_there_are_two_hundred_and_all_differ(outcomes: list[Outcome]) -> None:
    """The collection is what it claims to be."""
    assert COUNT_MIN <= len(outcomes)
    hashes = Counter(odd.content for odd, _ in outcomes if odd.content)
    assert [] == [content[:20] for content, count in hashes.items() if count > 1]


def test_every_file_ends_in_one_way(outcomes: list[Outcome]) -> None:
    """A file is attached, or refused, never both and never neither."""
    assert [] == [
        odd.name for odd, fitted in outcomes if bool(fitted.uploads) == bool(fitted.refused)
    ]


def test_what_can_be_attached_is(outcomes: list[Outcome]) -> None:
    """No file is refused for another reason than the one it was made for."""
    wrong = [
        (odd.name, refusal.code)
        for odd, fitted in outcomes
        for refusal in fitted.refused
        if refusal.code not in odd.codes
    ]
    assert [] == wrong


def test_what_cannot_be_attached_is_not(outcomes: list[Outcome]) -> None:
    """Broken, empty, locked and dangerous files never become an upload."""
    assert [] == [odd.name for odd, fitted in outcomes if fitted.uploads and not odd.may_fit]


def test_no_worker_dies_of_them(outcomes: list[Outcome]) -> None:
    """Every refusal is a judgement, not an accident."""
    accidents = {RefusalCode.WORKER_DIED, RefusalCode.TOO_LONG, RefusalCode.TOO_MUCH_MEMORY}
    codes = Counter(one.code for _, fitted in outcomes for one in fitted.refused)
    assert {} == {code: count for code, count in codes.items() if code in accidents}


def test_an_independent_reader_opens_every_upload(outcomes: list[Outcome]) -> None:
    """Each is below the limit, well named, whole, without metadata, scripts or stowaways."""
    wrong = {
        f"{odd.name!r} -> {upload.name}": found
        for odd, fitted in outcomes
        for upload in fitted.uploads
        if (found := problems(upload))
    }
    assert {} == wrong


def test_every_picture_shows_what_it_showed(outcomes: list[Outcome]) -> None:
    """Turned, converted, flattened and scaled pictures look like their originals."""
    wrong = {
        odd.name: away
        for odd, fitted in outcomes
        if odd.shows is not None
        for upload in fitted.uploads
        if (away := difference(odd.shows, shown(upload))) > DIFFERENCE_MAX
    }
    assert {} == wrong


def test_reasons_name_the_file_and_what_to_do(outcomes: list[Outcome]) -> None:
    """Each is a sentence with a next step, free of control characters."""
    reasons = [one.reason for _, fitted in outcomes for one in fitted.refused]
    assert [] == [
        reason
        for reason in reasons
        if not reason.isprintable() or ";" not in reason or not reason.endswith(".")
    ]
