"""Workbooks that would blow up are refused before they do."""

from __future__ import annotations

import errno
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest
from workbooks import write_raw_xlsx, write_xlsx

from daybook import xlsx_safe
from daybook.errors import InputError
from daybook.xlsx_safe import opened_workbook

if TYPE_CHECKING:
    from pathlib import Path

ONE = '<row r="1"><c r="A1"><v>1</v></c></row>'


def cells(path: Path) -> list[list[object]]:
    """The cells of the workbook's first sheet."""
    with path.open("rb") as stream, opened_workbook(stream, "x.xlsx", path.parent) as workbook:
        return [list(row) for row in workbook.get_sheet_by_index(0).iter_rows()]


def refusal(path: Path) -> str:
    """Why it is not read."""
    with pytest.raises(InputError) as caught:
        cells(path)
    assert [path] == list(path.parent.iterdir())
    return str(caught.value)


def add(path: Path, name: str, content: bytes) -> Path:
    """The workbook with one more part."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def test_a_workbook_is_read_through_a_copy(tmp_path: Path) -> None:
    """Parts that are not XML, such as pictures, do not matter."""
    path = add(write_xlsx(tmp_path / "x.xlsx", {"a": [["b", 1.5]]}), "xl/media/1.png", b"\0" * 9999)
    assert [["b", 1.5]] == cells(path)
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "shared", "said"),
    [
        (ONE + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "", "spans more than"),
        ('<row r="999999"><c r="A1"/></row><row r="2"><c r="ZZ2"/></row>', "", "spans more than"),
        (ONE + "<row><c><v>1</v></c></row>", "", "do not say where they stand"),
        (ONE + '<row><c r="A2"><v>1</v></c></row>', "", "do not say where they stand"),
        (
            '<row r="1">' + '<c r="A1" t="s"><v>0</v></c>' * 6000 + "</row>",
            f"<si><t>{'long ' * 20_000}</t></si><si><t>short</t></si>",
            "repeats long texts very often",
        ),
        (" " * (2 << 20), "", "unpacks to more than 200 times its size"),
    ],
)
def test_a_bomb_is_refused(tmp_path: Path, rows: str, shared: str, said: str) -> None:
    """Whatever would make the reader ask for all the memory there is."""
    sentence = refusal(write_raw_xlsx(tmp_path / "x.xlsx", rows, shared))
    assert said in sentence
    assert "Export it again as CSV or Parquet" in sentence


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """Many parts of a modest size each add up."""
    path = write_raw_xlsx(tmp_path / "x.xlsx", ONE)
    part = b"".join(b"%08d" % number for number in range(1 << 21))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(9):
            archive.writestr(f"xl/{number}.xml", part)
    assert "unpacks to more than 128 MiB" in refusal(path)


def test_a_directory_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    """The copy holds no more than was declared, and that does not add up."""
    path = write_raw_xlsx(tmp_path / "x.xlsx", ONE * 9999)
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 100)
    path.write_bytes(content)
    assert "is not a workbook that can be read" in refusal(path)


@pytest.mark.parametrize("count", [501, 2])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_too_many_parts_or_two_of_a_name_are_refused(tmp_path: Path, count: int) -> None:
    """Neither comes out of a spreadsheet program."""
    path = write_raw_xlsx(tmp_path / "x.xlsx", ONE)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(count):
            archive.writestr(f"xl/{number if count > 2 else 'x'}.xml", b"<x/>")
    assert "too many parts, or parts of the same name" in refusal(path)


def test_a_protected_workbook_says_so(tmp_path: Path) -> None:
    """Its password is not ours to guess."""
    path = write_raw_xlsx(tmp_path / "x.xlsx", ONE)
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "is protected by a password" in refusal(path)


@pytest.mark.parametrize(
    "content", [b"", b"store_id,receipt_id_pos\n", b"\xd0\xcf\x11\xe0" + b"\0" * 999, b"PK\x03\x04"]
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing, CSV under a wrong name, the format of last century, half a file."""
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    assert "is not a workbook that can be read; save it again as .xlsx" in refusal(path)


@pytest.mark.parametrize("rows", ["<row", '<row r="1"><c r="A1"><v>1</c></row>', "</worksheet>"])
def test_damaged_xml_is_refused(tmp_path: Path, rows: str) -> None:
    """Half a sheet is none."""
    assert "is not a workbook that can be read" in refusal(
        write_raw_xlsx(tmp_path / "x.xlsx", rows)
    )


@pytest.mark.parametrize("cut", [20, 200])
def test_a_file_with_a_piece_missing_is_damaged(tmp_path: Path, cut: int) -> None:
    """Its directory then points in front of its beginning."""
    path = write_xlsx(tmp_path / "x.xlsx", {"a": [["b", 1.5]]})
    content = path.read_bytes()
    path.write_bytes(content[:100] + content[100 + cut :])
    assert "not a workbook that can be read" in refusal(path)
    (tmp_path / "x.xlsx").write_bytes(content[-(len(content) // 3) :])
    assert "not a workbook that can be read" in refusal(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_workbook_packed_like_no_other_is_refused(tmp_path: Path, packing: int) -> None:
    """Unpacking it may take any amount of memory, and fails in its own ways."""
    path = write_xlsx(tmp_path / "x.xlsx", {"a": [["b", 1.5]]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert "packed in a way that no spreadsheet program uses" in refusal(path)


@pytest.mark.parametrize(
    ("error", "is_damage"),
    [
        (ValueError("negative seek value -20"), True),
        (OSError("Invalid data stream"), True),
        (OSError(errno.EINVAL, "Invalid argument"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
    ],
)
def test_a_full_disk_is_not_a_damaged_workbook(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    is_damage: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The one is the sender's to correct, the other the operator's."""

    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(xlsx_safe, "_copy", fail)
    path = write_xlsx(tmp_path / "x.xlsx", {"a": [["b"]]})
    with pytest.raises(InputError if is_damage else OSError):
        cells(path)


def test_errors_of_whoever_reads_are_their_own(tmp_path: Path) -> None:
    """They are not blamed on the workbook."""
    path = write_xlsx(tmp_path / "x.xlsx", {"a": [["b"]]})
    with (
        pytest.raises(ValueError, match="mine"),
        path.open("rb") as stream,
        xlsx_safe.opened_workbook(stream, "x.xlsx", tmp_path),
    ):
        raise ValueError("mine")
