"""PDFs that act, hide, overflow or are locked, each with the reason it is refused for, if it is."""

from __future__ import annotations

import functools
import io
import zlib
from typing import TYPE_CHECKING

import fpdf
import pikepdf
from odd_pictures import drawn, encoded, photo
from pikepdf import Array, Dictionary, Name, String

from daybook.expenses.attachment_verdicts import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OddPdf = tuple[str, bytes, RefusalCode | None]


def plain(text: str = "TOTAL 12.30", pages: int = 1) -> bytes:
    """A PDF as a shop's program writes it."""
    made = fpdf.FPDF()
    for number in range(pages):
        made.add_page()
        made.set_font("helvetica")
        made.cell(text=f"{text} {number + 1}")
    return bytes(made.output())


def scanned(pages: int, width: int = 1700, *, quality: int = 95) -> bytes:
    """A PDF as a scanner writes it: a photograph a page."""
    made = fpdf.FPDF()
    for number in range(pages):
        made.add_page()
        picture = photo(width, width * 4 // 3 + number, noise=50)
        made.image(io.BytesIO(encoded(picture, "JPEG", quality=quality)), w=180)
    return bytes(made.output())


def changed(change: Callable[[pikepdf.Pdf], None], content: bytes | None = None) -> bytes:
    """A plain PDF after a change."""
    with pikepdf.open(io.BytesIO(content or plain())) as pdf:
        change(pdf)
        return written(pdf)


def written(pdf: pikepdf.Pdf, encryption: pikepdf.Encryption | None = None) -> bytes:
    """Its bytes."""
    target = io.BytesIO()
    pdf.save(target, encryption=encryption or False)
    return target.getvalue()


def odd_pdfs() -> Iterator[OddPdf]:
    """All of them."""
    for change in (
        _script_on_opening, _script_by_name, _script_on_page, _program_to_start, _file_inside,
        _script_in_field, _form_to_send, _chained_script, _xfa, _link,
    ):  # fmt: skip
        yield f"{change.__name__.strip('_')}.pdf", changed(change), None
    yield "needs-its-program.pdf", changed(_needs_rendering), RefusalCode.NEEDS_ITS_PROGRAM
    yield "no-pages.pdf", changed(_no_pages), RefusalCode.BROKEN
    yield "many-pages.pdf", changed(_many_pages), RefusalCode.TOO_MANY_PAGES
    yield "bomb.pdf", changed(_bomb), RefusalCode.BOMB
    yield "bomb-in-bomb.pdf", changed(_bomb_in_bomb), RefusalCode.BOMB
    yield "large-picture.pdf", changed(_claiming_picture), RefusalCode.TOO_MANY_PIXELS
    yield "broken-picture.pdf", changed(_broken_picture), RefusalCode.BROKEN
    yield "picture-before.pdf", encoded(drawn(99, 98), "GIF") + plain(), None
    yield "hash-before.pdf", b"#!/bin/sh\n" + plain("hash"), None
    yield "archive-behind.pdf", plain("behind") + b"PK\x05\x06" + bytes(18), None
    yield "exe-behind.pdf", plain("exe") + b"MZ" + bytes(3_000), None
    yield "no-xref.pdf", plain("xref").replace(b"startxref", b"startxxxx"), None
    with pikepdf.open(io.BytesIO(plain("locked"))) as pdf:
        locked = written(pdf, pikepdf.Encryption(user="secret", owner="owner"))
        yield "password.pdf", locked, RefusalCode.PASSWORD
        yield "no-printing.pdf", written(pdf, pikepdf.Encryption(user="", owner="owner")), None
    yield "plain.pdf", plain("plain", 3), None
    yield "scan.pdf", scanned(3), None
    yield "long-scan.pdf", scanned(14, 1300, quality=85), None
    yield from _exact_sizes()


def _exact_sizes() -> Iterator[OddPdf]:
    """One byte below, at and above three million."""
    for byte_count in (2_999_999, 3_000_000, 3_000_001):
        yield f"{byte_count}.pdf", of_size(byte_count), None


def of_size(byte_count: int) -> bytes:
    """A PDF of exactly so many bytes, most of them blank."""
    with pikepdf.open(io.BytesIO(plain(str(byte_count)))) as pdf:
        length = byte_count - 1_000
        for _ in range(10):
            pdf.Root.Padding = pikepdf.Stream(pdf, b" " * length)
            target = io.BytesIO()
            pdf.save(target, compress_streams=False)
            missing = byte_count - target.tell()
            if missing == 0:
                return target.getvalue()
            length += missing
    raise AssertionError("the size was not met")


def _action(kind: str, **more: object) -> Dictionary:
    return Dictionary(Type=Name.Action, S=Name("/" + kind), **more)  # type: ignore[arg-type]  # any PDF value


def _script_on_opening(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = _action("JavaScript", JS=String("app.alert(1)"))


def _script_by_name(pdf: pikepdf.Pdf) -> None:
    script = pdf.make_indirect(_action("JavaScript", JS=String("app.alert(2)")))
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))


def _script_on_page(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=_action("JavaScript", JS=String("app.alert(3)")))


def _annotation(pdf: pikepdf.Pdf, **more: object) -> None:
    one = Dictionary(Type=Name.Annot, Rect=Array([0, 0, 100, 100]), **more)  # type: ignore[arg-type]  # any PDF value
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(one)])


def _program_to_start(pdf: pikepdf.Pdf) -> None:
    _annotation(pdf, Subtype=Name.Link, A=_action("Launch", F=String("cmd.exe")))


def _link(pdf: pikepdf.Pdf) -> None:
    _annotation(pdf, Subtype=Name.Link, A=_action("URI", URI=String("https://example.com")))


def _chained_script(pdf: pikepdf.Pdf) -> None:
    script = _action("JavaScript", JS=String("app.alert(4)"))
    _annotation(pdf, Subtype=Name.Link, A=_action("Named", N=Name.NextPage, Next=Array([script])))


def _file_inside(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["virus.exe"] = b"MZ" + bytes(100)


def _script_in_field(pdf: pikepdf.Pdf) -> None:
    _annotation(
        pdf,
        Subtype=Name.Widget,
        FT=Name.Tx,
        T=String("f"),
        AA=Dictionary(K=_action("JavaScript", JS=String("app.alert(5)"))),
    )
    pdf.Root.AcroForm = Dictionary(Fields=pdf.pages[0].obj.Annots)


def _form_to_send(pdf: pikepdf.Pdf) -> None:
    _annotation(pdf, Subtype=Name.Link, A=_action("SubmitForm", F=String("http://example.com")))


def _xfa(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pikepdf.Stream(pdf, b"<xdp/>"))


def _needs_rendering(pdf: pikepdf.Pdf) -> None:
    _xfa(pdf)
    pdf.Root.NeedsRendering = True


def _no_pages(pdf: pikepdf.Pdf) -> None:
    del pdf.pages[0]


def _many_pages(pdf: pikepdf.Pdf) -> None:
    for _ in range(310):
        pdf.add_blank_page()


def _stream(pdf: pikepdf.Pdf, body: bytes, layers: int) -> None:
    contents = pikepdf.Stream(pdf, b"")
    names = Array([Name.FlateDecode] * layers) if layers > 1 else Name.FlateDecode
    contents.write(body, filter=names)
    pdf.pages[0].obj.Contents = contents


@functools.cache
def _deflated_zeros(byte_count: int) -> bytes:
    packer = zlib.compressobj(1)
    piece = bytes(10_000_000)
    pieces = [packer.compress(piece) for _ in range(byte_count // len(piece))]
    return b"".join([*pieces, packer.flush()])


def _bomb(pdf: pikepdf.Pdf) -> None:
    _stream(pdf, _deflated_zeros(310_000_000), 1)


def _bomb_in_bomb(pdf: pikepdf.Pdf) -> None:
    _stream(pdf, zlib.compress(_deflated_zeros(310_000_000)), 2)


def _claiming_picture(pdf: pikepdf.Pdf) -> None:
    _picture(pdf, b"\0", Width=100_000, Height=100_000, BitsPerComponent=1)


def _broken_picture(pdf: pikepdf.Pdf) -> None:
    content = encoded(drawn(200, 200), "JPEG")
    _picture(pdf, content[: len(content) // 2], Width=200, Height=200, Filter=Name.DCTDecode)


def _picture(pdf: pikepdf.Pdf, body: bytes, **more: object) -> None:
    kept = {"Filter": more.pop("Filter")} if "Filter" in more else {}
    picture = pikepdf.Stream(pdf, b"")
    picture.write(body, filter=kept.get("Filter"))  # type: ignore[arg-type]  # a name
    picture.Type, picture.Subtype, picture.ColorSpace = Name.XObject, Name.Image, Name.DeviceGray
    for key, value in more.items():
        picture[f"/{key}"] = value
    pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(P=pdf.make_indirect(picture)))
    pdf.pages[0].obj.Contents = pikepdf.Stream(pdf, b"q 100 0 0 100 0 0 cm /P Do Q")
