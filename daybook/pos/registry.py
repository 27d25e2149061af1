"""Which source an address means: one entry for each kind of point of sale.

`name+address` is the source of that name at the address; any other address is the files source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.on_use import loaded_on_use
from daybook.pos.openers import open_files, open_loyverse, open_qashier, open_sql, open_square

with loaded_on_use():
    from daybook.pos import file_parts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from daybook.pos.source import ReceiptSource
    from daybook.pos.source_context import SourceContext


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: an address to imitate, and what opens the address after the `+`."""

    example: str
    open: Callable[[str, SourceContext], ReceiptSource]


SOURCES: Final[dict[str, SourceKind]] = {
    "loyverse": SourceKind("loyverse+https://api.loyverse.com", open_loyverse),
    "qashier": SourceKind("qashier+file:///mnt/qashier", open_qashier),
    "sql": SourceKind("sql+postgresql://user:password@host:5432/pos", open_sql),
    "square": SourceKind("square+https://connect.squareup.com", open_square),
}
# The source of every other address; all it may have in its table is what all sources may.
_FILES: Final = "files"


def source_of(url: str, context: SourceContext) -> ReceiptSource:
    """The source at this address; nothing is read yet.

    Raises:
        InputError: no source has such addresses, or its options are wrong.
    """
    _refuse_unknown_options(context)
    name, plus, address = url.partition("+")
    if plus and name in SOURCES:
        return SOURCES[name].open(address, context)
    scheme, separator, _ = url.partition("://")
    if separator and not file_parts.is_scheme(scheme.partition("::")[0]):
        known = ", ".join(kind.example for kind in SOURCES.values())
        raise InputError(
            f"No point of sale is read from addresses that begin with {scheme}://; use a folder "
            f"or an fsspec URL such as s3://bucket/pos for files, or one like {known}."
        )
    return open_files(url, context)


def grace_of(url: str, context: SourceContext) -> dt.timedelta | None:
    """How long after its end a day of the source at this address is not final, if that is set.

    Raises:
        InputError: it is not a number of minutes.
    """
    _refuse_unknown_options(context)
    name, plus, _ = url.partition("+")
    return context.grace(name if plus and name in SOURCES else _FILES)


def _refuse_unknown_options(context: SourceContext) -> None:
    known = [*SOURCES, _FILES]
    for name in context.tables:
        if name not in known:
            raise InputError(
                f"[{name}] in {context.where} is not the options of any source; there are "
                f"{', '.join(f'[{one}]' for one in known)}. Correct its name, or remove it."
            )
