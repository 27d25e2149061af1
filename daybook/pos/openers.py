"""How the sources that need more than an address are opened: the form of each one's options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.errors import InputError
from daybook.on_use import loaded_on_use
from daybook.pos.source_context import NoOptions

# Each source has libraries of its own: only the one that is opened is loaded.
with loaded_on_use():
    from daybook.pos import api_pages, files, loyverse, qashier_source, sql, square

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daybook.pos.source_context import SourceContext
    from daybook.sales.store import Store


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _QashierOptions(_Options, frozen=True):
    # Names in Qashier's files that differ from those in the stores file.
    stores: dict[str, str] = {}
    is_early_allowed: bool = False


class _LoyverseOptions(_Options, frozen=True):
    stores: dict[str, str]
    categories: dict[str, str] = {}
    default_category: str = "Sales"


class _SquareOptions(_LoyverseOptions, frozen=True):
    test_sources: list[str] = []


def open_files(url: str, context: SourceContext) -> files.FilesSource:
    """Files in a folder or at any fsspec URL; [files] has nothing of its own.

    Raises:
        InputError: there are options.
    """
    context.options("files", NoOptions)
    return files.FilesSource(url)


def open_sql(url: str, context: SourceContext) -> sql.SqlSource:
    """The SQL source at a database URL, with the queries of [sql].

    Raises:
        InputError: there are no queries, or something is wrong with them or the URL.
    """
    return sql.SqlSource(url, context.options("sql", sql.Queries))


def open_qashier(url: str, context: SourceContext) -> qashier_source.QashierSource:
    """Qashier's files under a URL; stores are recognised by their names, and by those of [qashier].

    Raises:
        InputError: the options are wrong, or two stores have the same name.
    """
    options = context.options("qashier", _QashierOptions)
    names = _names(context.stores()) | options.stores
    return qashier_source.QashierSource(url, names, is_early_allowed=options.is_early_allowed)


def open_square(url: str, context: SourceContext) -> square.SquareSource:
    """The Square account of the token; [square] says which location is which store.

    Raises:
        InputError: the options are missing or wrong.
        SettingError: there is no token.
    """
    options = context.options("square", _SquareOptions)
    return square.SquareSource(
        _api("Square", url, context),
        options.stores,
        _read_options(options),
        test_sources=options.test_sources,
    )


def open_loyverse(url: str, context: SourceContext) -> loyverse.LoyverseSource:
    """The Loyverse account of the token; [loyverse] says which of its stores is which of ours.

    Raises:
        InputError: the options are missing or wrong.
        SettingError: there is no token.
    """
    options = context.options("loyverse", _LoyverseOptions)
    return loyverse.LoyverseSource(
        _api("Loyverse", url, context), options.stores, _read_options(options)
    )


def _api(vendor: str, url: str, context: SourceContext) -> api_pages.PosApi:
    return api_pages.PosApi(
        vendor, url, context.needed_token(), context.needed_http(), context.clock
    )


def _read_options(options: _LoyverseOptions) -> api_pages.ReadOptions:
    return api_pages.ReadOptions(
        categories=options.categories, default_category=options.default_category
    )


def _names(stores: Iterable[Store]) -> dict[str, str]:
    names: dict[str, str] = {}
    for store in stores:
        if names.setdefault(store.name, store.store_id) != store.store_id:
            raise InputError(
                f"The stores {names[store.name]} and {store.store_id} are both called "
                f"'{store.name}', and Qashier's files know stores by name; give them different "
                "names in the stores file."
            )
    return names
