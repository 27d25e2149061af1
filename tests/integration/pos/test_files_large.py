"""The files source on a million rows and on bombs: memory stays flat, measured in a child."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from till import Receipt, write_csv

ROOT = Path(__file__).parents[3]
CHILD = """
import datetime as dt, json, re, sys
from pathlib import Path
from daybook.errors import InputError
from daybook.pos.files import FilesSource
from daybook.sales.store import Store

def peak():  # getrusage's would be this test's own, where that is more
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

source = FilesSource(sys.argv[1])
shop, day = Store("S01", "Shop", "UTC", "SGD"), dt.date(2026, 3, 14)
# What the libraries take when they are first used is not counted.
list(FilesSource(sys.argv[2]).receipts([shop], day, day, known_store_ids=["S01"]))
before = peak()
receipts = lines = rejects = 0
said = ""
try:
    for page in source.receipts([shop], day, day, known_store_ids=["S01"]):
        receipts += len(page.batch.receipts)
        lines += len(page.batch.lines)
        rejects += len(page.rejects)
except InputError as error:
    said = str(error)
grown = (peak() - before) // 1024
print(json.dumps([receipts, lines, rejects, said, grown]))
"""
AT = "2026-03-14T12:00:00Z"
ROW = {
    "receipts": f"S01,R1,{AT},{AT},SGD,sale,final\n",
    "lines": "S01,gone,1,Food,GST,1.00,0.00\n",
    "tenders": "S01,gone,1,Cash,1.00\n",
}


def read(folder: Path) -> tuple[int, int, int, str, int]:
    """Receipts, lines, rejects, refusal and MiB of memory of a child that reads the folder."""
    small = write_csv(folder.parent / "small", [Receipt()])
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", CHILD, str(folder), str(small)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    receipts, lines, rejects, said, grown = json.loads(done.stdout)
    return receipts, lines, rejects, said, grown


def test_a_million_rows_are_read_in_flat_memory(tmp_path: Path) -> None:
    """A quarter of a million receipts with two lines and a tender each, in no order."""
    folder = write_csv(tmp_path / "pos", [])
    numbers = [number * 7919 % 250_000 for number in range(250_000)]
    with (folder / "receipts.csv").open("a") as file:
        file.writelines(f"S01,R{n},{AT},{AT},SGD,sale,final\n" for n in numbers)
    with (folder / "lines.csv").open("a") as file:
        for position in (1, 2):
            file.writelines(f"S01,R{n},{position},Food,GST,1.00,0.09\n" for n in sorted(numbers))
    with (folder / "tenders.csv").open("a") as file:
        file.writelines(f"S01,R{n},1,Cash,2.18\n" for n in reversed(numbers))
    receipts, lines, rejects, said, grown = read(folder)
    assert (250_000, 500_000, 0, "") == (receipts, lines, rejects, said)
    assert grown < 200


@pytest.mark.parametrize(
    ("table", "unit", "rejects", "said"),
    [
        ("lines", "\n", 0, ""),
        ("lines", ",,,,,,\n", 0, ""),
        ("lines", "a\n", 0, "lines.csv.gz cannot be read: CSV parse error"),
        ("lines", "\0" * 100, 0, "lines.csv.gz cannot be read"),
        (
            "lines",
            ROW["lines"],
            0,
            "More than 2,000,000 lines of one part belong to a few receipts",
        ),
        ("tenders", ROW["tenders"], 0, "More than 2,000,000 tenders of one part belong"),
        ("receipts", ROW["receipts"], 0, "More than 2,000,000 receipts of one part belong"),
        ("receipts", ROW["receipts"].replace("S01", "S99"), 1, ""),
    ],
)
def test_a_compressed_bomb_does_not_fill_the_memory(
    tmp_path: Path, table: str, unit: str, rejects: int, said: str
) -> None:
    """Three million rows out of some kilobytes: refused, or read without the receipts beside."""
    folder = write_csv(tmp_path / "pos", [Receipt()])
    path = folder / f"{table}.csv"
    # Members of one gzip file follow each other, so one of them is enough to make.
    bomb = gzip.compress(unit.encode() * 10_000)
    (folder / f"{table}.csv.gz").write_bytes(gzip.compress(path.read_bytes()) + bomb * 300)
    path.unlink()
    receipts, _, found, sentence, grown = read(folder)
    assert said in sentence
    assert (0 if said else 1, rejects) == (receipts, found)
    assert grown < 600
