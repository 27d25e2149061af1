"""Files on a disk, fitted; and an independent reader that judges what came out."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf
from PIL import Image, ImageChops, ImageStat

from daybook.spend.fit.fitter import Fitter, SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from daybook.expenses.attachment_verdicts import Fitted, Upload

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,98}\.[a-z0-9]{2,4}")
_ACTS = re.compile(
    rb"/(JavaScript|JS|Launch|EmbeddedFiles?|SubmitForm|XFA|AA|RichMedia)\b|app\.alert|virus"
)


@dataclass(frozen=True)
class Place:
    """A folder for originals and a fitter."""

    folder: Path
    fitter: Fitter

    def fit(self, *files: tuple[str, bytes]) -> Fitted:
        """Write these originals, make them fit, and see that they are what they were."""
        sources = []
        for number, (name, content) in enumerate(files):
            path = self.folder / f"original-{number}"
            path.write_bytes(content)
            sources.append(SourceFile(name, path))
        fitted = self.fitter.fit(sources)
        for source, (_name, content) in zip(sources, files, strict=True):
            assert content == source.path.read_bytes()
        return fitted


def problems(upload: Upload, bytes_max: int = 3_000_000) -> list[str]:
    """What an independent reader finds wrong with an upload."""
    found = []
    if not 0 < len(upload.content) < bytes_max:
        found.append(f"{len(upload.content)} bytes")
    if not _NAME.fullmatch(upload.name) or ".." in upload.name:
        found.append(f"named {upload.name!r}")
    if hashlib.sha256(upload.content).hexdigest() != upload.sha256:
        found.append("hash")
    if upload.content_type.startswith("image/"):
        found += _picture_problems(upload)
    elif upload.content_type == "application/pdf":
        found += _pdf_problems(upload)
    return found


def shown(upload: Upload) -> Image.Image:
    """The picture of an upload."""
    with Image.open(io.BytesIO(upload.content)) as image:
        if image.mode == "I;16":
            return image.point(lambda value: value / 256).convert("L").convert("RGB")
        return image.convert("RGB")


def page_pictures(upload: Upload) -> list[Image.Image]:
    """The one picture on each page of a PDF of pictures."""
    with pikepdf.open(io.BytesIO(upload.content)) as pdf:
        return [_pictures_on(page)[0].convert("RGB") for page in pdf.pages]


def difference(one: Image.Image, other: Image.Image) -> float:
    """How different two pictures look from afar: mean of the differences, 0 to 255."""
    small = [image.convert("RGB").resize((24, 24), Image.Resampling.BOX) for image in (one, other)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


def _pictures_on(page: pikepdf.Page) -> list[Image.Image]:
    """Every picture of a page, decoded."""
    return [
        pikepdf.PdfImage(one).as_pil_image()
        for one in page.get_images().values()
        if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"
    ]


def _picture_problems(upload: Upload) -> list[str]:
    found = []
    with Image.open(io.BytesIO(upload.content)) as image:
        if image.format not in {"JPEG", "PNG"} or Image.MIME[image.format] != upload.content_type:
            found.append(f"is {image.format}, called {upload.content_type}")
        image.load()
        if len(image.getexif()):
            found.append("has metadata")
    suffix = {"image/jpeg": "jpg", "image/png": "png"}.get(upload.content_type, "?")
    if not upload.name.endswith(f".{suffix}"):
        found.append(f"named {upload.name} but {upload.content_type}")
    end = b"\xff\xd9" if suffix == "jpg" else b"IEND\xaeB`\x82"
    if not upload.content.endswith(end):
        found.append("something follows its end")
    if re.search(rb"alert|<\?php|PK\x05\x06", upload.content):
        found.append("something hides in it")
    return found


def _pdf_problems(upload: Upload) -> list[str]:
    found = []
    if not upload.content.startswith(b"%PDF-") or not upload.name.endswith(".pdf"):
        found.append("does not begin or end like a PDF")
    with pikepdf.open(io.BytesIO(upload.content), attempt_recovery=False) as pdf:
        if not pdf.pages or pdf.check_pdf_syntax():
            found.append("qpdf complains")
        target = io.BytesIO()
        pdf.save(target, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        for page in pdf.pages:
            _pictures_on(page)
    acts = _ACTS.search(target.getvalue())
    if acts:
        found.append(f"acts: {acts.group()!r}")
    return found
