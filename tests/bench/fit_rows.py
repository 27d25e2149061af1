"""Photographs of 8 MB made to fit in the confined workers, beside plain Pillow re-encoding them.

The peer does what a simple program does: open, turn upright, save at quality 75, in as many
processes as the fitter has workers, trusting the files. Both start with their processes running,
take turns, and each one's best round counts.
"""

from __future__ import annotations

import io
import random
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageOps

from daybook.spend.fit.fitter import Fitter, SourceFile
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 2
ROUNDS = 3
IMAGES = 8
SIDES = (4032, 3024)
AIM_PER_SECOND = 4


def rows(_year: Path) -> Iterator[Row]:
    """One row; needs nothing of the year."""
    with tempfile.TemporaryDirectory(prefix="daybook-fit-") as folder:
        paths = _photographs(Path(folder))
        ours, peers = _measured(paths)
        megabytes = sum(path.stat().st_size for path in paths) / len(paths) / 1e6
    yield Row(
        "fit_images_per_second",
        len(paths) / ours,
        "images/s",
        "plain Pillow",
        len(paths) / peers,
        f"{len(paths)} JPEGs of {megabytes:.1f} MB, {WORKERS} workers; aim {AIM_PER_SECOND}",
    )


def _measured(paths: list[Path]) -> tuple[float, float]:
    """Best seconds of each for all pictures."""
    sources = [SourceFile(path.name, path) for path in paths]
    ours, peers = [], []
    with (
        Fitter(worker_count=WORKERS) as fitter,
        ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool,
    ):
        # Both have their processes running and their libraries loaded.
        fitter.fit(sources[:WORKERS])
        list(pool.map(_re_encoded, paths[:WORKERS]))
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            fitted = fitter.fit(sources)
            ours.append(time.perf_counter() - begun)
            assert not fitted.refused
            begun = time.perf_counter()
            list(pool.map(_re_encoded, paths))
            peers.append(time.perf_counter() - begun)
    return min(ours), min(peers)


def _re_encoded(path: Path) -> int:
    """What a simple program does; returns the size."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        target = io.BytesIO()
        upright.save(target, "JPEG", quality=75)
    return target.tell()


def _photographs(folder: Path) -> list[Path]:
    """Pictures of 12 megapixels and about 8 MB, each different, always the same."""
    source = random.Random(8)  # noqa: S311 - pictures, not secrets
    width, height = SIDES
    light = Image.frombytes("L", (101, 76), source.randbytes(101 * 76)).resize(SIDES)
    grain = Image.frombytes("L", SIDES, source.randbytes(width * height))
    grain = grain.point(lambda value: 128 + (value - 128) * 0.42)
    paths = []
    for number in range(IMAGES):
        grey = ImageChops.add(light, ImageChops.offset(grain, number * 17), 2)
        picture = Image.merge("RGB", (grey, grey, grey.point(lambda value: value * 0.9)))
        paths.append(folder / f"{number}.jpg")
        picture.save(paths[-1], quality=96)
    return paths
