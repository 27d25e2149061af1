"""The files of one document: too many, twice, missing, and what each upload was made from."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest
from fit_place import Place, difference, page_pictures, problems
from odd_pdfs import plain
from odd_pictures import drawn, encoded, photo

from daybook.expenses.attachment_limits import FitLimits, SafetyLimits
from daybook.expenses.attachment_verdicts import Change, RefusalCode
from daybook.spend.fit.fitter import Fitter, SourceFile

if TYPE_CHECKING:
    from pathlib import Path


def _small(number: int) -> tuple[str, bytes]:
    return f"{number:02}.png", encoded(drawn(200 + number, 160), "PNG")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_ten_files_stay_ten(place: Place) -> None:
    """What fits is not touched."""
    files = [_small(number) for number in range(10)]
    fitted = place.fit(*files)
    assert [content for _, content in files] == [upload.content for upload in fitted.uploads]
    assert {"as it is"} == {upload.how for upload in fitted.uploads}


def test_eleven_files_cost_one_merge_of_two(place: Place) -> None:
    """One file too many: two neighbours become one PDF, the other nine stay."""
    fitted = place.fit(*(_small(number) for number in range(11)))
    merged = [upload for upload in fitted.uploads if Change.MERGED in upload.changes]
    assert (10, 1, 2) == (len(fitted.uploads), len(merged), len(merged[0].made_from))
    assert [[]] * 10 == [problems(upload) for upload in fitted.uploads]


def test_pages_of_a_merged_pdf_are_in_order(place: Place) -> None:
    """Forty pictures and PDFs in their order, each on a page that shows it."""
    files = [_small(number) for number in range(40)]
    fitted = place.fit(*files)
    made_from = [sha for upload in fitted.uploads for sha in upload.made_from]
    assert [_sha256(content) for _, content in files] == made_from
    (merged,) = (upload for upload in fitted.uploads if Change.MERGED in upload.changes)
    first = made_from.index(merged.made_from[0])
    pictures = page_pictures(merged)
    assert [200 + number for number in range(first, first + 31)] == [one.width for one in pictures]
    assert difference(drawn(200 + first, 160), pictures[0]) < 8


def test_pdfs_and_pictures_are_merged_together(place: Place) -> None:
    """A PDF in the middle keeps its pages and its place."""
    files = [
        _small(1),
        ("two.pdf", plain("two", 3)),
        ("three.jpg", encoded(photo(300, 400), "JPEG")),
    ]
    with Fitter(FitLimits(count_max=1)) as fitter:
        (upload,) = Place(place.folder, fitter).fit(*files).uploads
    assert [] == problems(upload)
    assert [_sha256(content) for _, content in files] == list(upload.made_from)
    assert ("01-and-2-more.pdf", "application/pdf") == (upload.name, upload.content_type)


def test_large_files_are_made_smaller_until_all_fit(place: Place) -> None:
    """Twenty-five pictures of two megabytes do not fit into ten files; smaller ones do."""
    grainy = photo(2000, 1500, noise=60)
    files = [
        (f"{number}.jpg", encoded(grainy.rotate(number % 2 * 180), "JPEG", quality=95 - number % 3)
         + bytes([number])) for number in range(25)
    ]  # fmt: skip
    assert sum(len(content) for _, content in files) > 35_000_000
    fitted = place.fit(*files)
    assert ((), 10) == (fitted.refused, len(fitted.uploads))
    assert 25 == len({sha for upload in fitted.uploads for sha in upload.made_from})
    assert [[]] * 10 == [problems(upload) for upload in fitted.uploads]


def test_files_that_cannot_be_merged_are_refused_by_name(place: Place) -> None:
    """Twelve texts cannot become pages: ten are attached, two are listed."""
    fitted = place.fit(*((f"{number}.txt", f"Taxi {number}".encode()) for number in range(12)))
    assert (10, ["10.txt", "11.txt"]) == (len(fitted.uploads), [one.name for one in fitted.refused])
    assert {RefusalCode.OVER_COUNT} == {one.code for one in fitted.refused}


def test_the_same_content_twice_is_uploaded_once(place: Place) -> None:
    """Whatever the copies are called."""
    name, content = _small(1)
    fitted = place.fit((name, content), ("copy of it.jpg", content))
    assert (2, 1, 0) == (len(fitted.originals), len(fitted.uploads), len(fitted.refused))
    assert {_sha256(content)} == {original.sha256 for original in fitted.originals}


def test_same_names_become_different_ones(place: Place) -> None:
    """A second upload of one name would overwrite the first in Xero."""
    fitted = place.fit(*(("scan.png", _small(number)[1]) for number in range(3)))
    assert ["scan.png", "scan-2.png", "scan-3.png"] == [upload.name for upload in fitted.uploads]


def test_every_original_is_accounted_for(place: Place) -> None:
    """Hashes of originals are found again in uploads and refusals."""
    fitted = place.fit(_small(1), ("a.pdf", b"%PDF-1.4 nothing"), ("b.txt", b""), _small(2))
    found = [sha for upload in fitted.uploads for sha in upload.made_from]
    found += [one.sha256 or "" for one in fitted.refused]
    assert sorted(original.sha256 for original in fitted.originals) == sorted(found)


def test_links_folders_and_missing_files_are_refused(place: Place, tmp_path: Path) -> None:
    """A link in a shared folder does not attach what lies elsewhere on the machine."""
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    (tmp_path / "folder.pdf").mkdir()
    names = ("link.txt", "folder.pdf", "gone.pdf")
    fitted = place.fitter.fit([SourceFile(name, tmp_path / name) for name in names])
    expected = [RefusalCode.NOT_A_FILE, RefusalCode.NOT_A_FILE, RefusalCode.MISSING]
    assert (expected, ()) == ([one.code for one in fitted.refused], fitted.uploads)


def test_more_files_than_anyone_attaches_are_not_opened(place: Place) -> None:
    """The surplus is refused before it is read."""
    with Fitter(safety=SafetyLimits(files_max=2)) as fitter:
        fitted = Place(place.folder, fitter).fit(*(_small(number) for number in range(3)))
    assert ([RefusalCode.TOO_MANY_FILES], 2) == (
        [one.code for one in fitted.refused],
        len(fitted.uploads),
    )


def test_a_large_source_is_refused_unread(place: Place) -> None:
    """A file above the source limit is hashed and left alone."""
    with Fitter(safety=SafetyLimits(source_bytes_max=100)) as fitter:
        fitted = Place(place.folder, fitter).fit(("a.txt", b"x" * 101), ("b.txt", b"x" * 100))
    assert [RefusalCode.SOURCE_TOO_LARGE] == [one.code for one in fitted.refused]


@pytest.mark.parametrize("kind", ["HEIF", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_every_kind_of_picture_is_shrunk(place: Place, kind: str) -> None:
    """With a limit below its size each becomes a JPEG or PNG below it."""
    picture = photo(650, 620, noise=60)
    options = {
        "HEIF": {"quality": 90},
        "WEBP": {"quality": 95},
        "AVIF": {"quality": 90, "speed": 10},
    }
    content = encoded(picture, kind, **options.get(kind, {}))
    with Fitter(FitLimits(bytes_max=60_000)) as fitter:
        (upload,) = Place(place.folder, fitter).fit((f"a.{kind}", content)).uploads
    assert len(content) > 60_000
    assert [] == problems(upload, 60_000)


def test_documents_are_fitted_from_several_threads(place: Place) -> None:
    """One fitter serves many documents at once, each getting its own files back."""
    results: dict[int, list[str]] = {}

    def one(number: int) -> None:
        folder = place.folder / str(number)
        folder.mkdir()
        fitted = Place(folder, place.fitter).fit(_small(number), _small(number + 50))
        results[number] = [sha for upload in fitted.uploads for sha in upload.made_from]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {n: [_sha256(_small(n)[1]), _sha256(_small(n + 50)[1])] for n in range(8)}
    assert expected == results


def test_fitting_again_gives_the_same_bytes(place: Place) -> None:
    """So that an upload whose outcome is unknown can be recognised by its hash."""
    files = [("scan.tif", encoded(photo(900, 700), "TIFF")), *(_small(n) for n in range(12))]
    once, again = place.fit(*files), place.fit(*files)
    assert [one.sha256 for one in once.uploads] == [one.sha256 for one in again.uploads]
