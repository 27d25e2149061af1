"""Reads printed digits back from a picture: the judge of whether a receipt is still legible.

Digits stand in a grid known to the reader. For each cell it compares the picture with how each of
the ten digits would look there at that size, and takes the likest (normalised correlation).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

DIGITS = "0123456789"
_ROWS = 10


@dataclass(frozen=True)
class Sheet:
    """A page of digits: its size in pixels, the height of the type, how dark ink and paper are."""

    width: int
    height: int
    type_pixels: int
    ink: int = 50
    paper: int = 200
    grain: int = 24

    @property
    def _cell(self) -> tuple[int, int]:
        return self.type_pixels, self.type_pixels * 3 // 2

    @property
    def _pitch(self) -> int:
        return self.height // (_ROWS + 2)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of digits."""
        return _ROWS, self.width // self._cell[0] - 2

    def text(self) -> list[str]:
        """The digits, always the same for one shape."""
        source = random.Random(self.width)  # noqa: S311 - a text, not a secret
        rows, columns = self.shape
        return ["".join(source.choice(DIGITS) for _ in range(columns)) for _ in range(rows)]

    def printed(self, lines: list[str]) -> Image.Image:
        """The page, clean."""
        page = Image.new("L", (self.width, self.height), self.paper)
        draw = ImageDraw.Draw(page)
        font = ImageFont.load_default(self.type_pixels)
        across, down = self._cell[0], self._pitch
        for row, line in enumerate(lines, 1):
            for column, digit in enumerate(line, 1):
                draw.text((column * across, row * down), digit, fill=self.ink, font=font)
        return page

    def photographed(self) -> Image.Image:
        """The page with its text as a camera sees it: coloured, grainy, darker to one side."""
        page = self.printed(self.text())
        source = random.Random(self.height)  # noqa: S311 - a picture, not a secret
        size = self.width, self.height
        grain = Image.frombytes("L", size, source.randbytes(self.width * self.height))
        grain = grain.point(lambda value: (value - 128) * self.grain / 128 + 128)
        shade = Image.linear_gradient("L").resize(size).point(lambda value: value * 0.15)
        grey = ImageChops.subtract(ImageChops.add(page, grain, 1, -128), shade)
        return Image.merge("RGB", (grey, grey, grey.point(lambda value: value * 0.9)))

    def share_read(self, picture: Image.Image) -> float:
        """Which share of the digits a reader gets right from this picture of the page."""
        rows, columns = self.shape
        seen = self._cells(picture.convert("L"))
        likeness = np.stack(
            [
                (seen * self._cells(self._only(digit).resize(picture.size))).sum(axis=(2, 3))
                for digit in DIGITS
            ]
        )
        right = sum(
            DIGITS[likeness[:, row, column].argmax()] == self.text()[row][column]
            for row in range(rows)
            for column in range(columns)
        )
        return right / (rows * columns)

    def _only(self, digit: str) -> Image.Image:
        rows, columns = self.shape
        return self.printed([digit * columns] * rows)

    def _cells(self, page: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Rows x columns x cell, each cell with mean 0 and length 1."""
        rows, columns = self.shape
        across, down = (side * page.width / self.width for side in self._cell)
        pitch = self._pitch * page.height / self.height
        high, wide = round(down), round(across)
        values = np.asarray(page, dtype=np.float64)
        cells = np.stack(
            [
                np.stack(
                    [
                        values[
                            round(row * pitch) : round(row * pitch) + high,
                            round(column * across) : round(column * across) + wide,
                        ]
                        for column in range(1, columns + 1)
                    ]
                )
                for row in range(1, rows + 1)
            ]
        )
        cells -= cells.mean(axis=(2, 3), keepdims=True)
        length = np.sqrt((cells**2).sum(axis=(2, 3), keepdims=True))
        scaled: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = cells / np.maximum(length, 1e-9)
        return scaled
