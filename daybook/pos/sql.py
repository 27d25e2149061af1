"""The SQL source: receipts from a database that the merchant owns, by three queries.

`docs/sql-source.md` describes the queries. All three run in one read-only transaction and are
streamed to files on disk, so the merchant's database is held no longer than it takes to read and
memory holds one block of rows; from there on they are read like any other files.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

import fsspec
import msgspec
from sqlalchemy import DateTime, bindparam, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from daybook.errors import InputError, Unavailable
from daybook.pos.file_form import TableFile, TableName
from daybook.pos.file_parts import Part
from daybook.pos.files import part_pages, window_of
from daybook.pos.sql_spool import spool
from daybook.sales.business_date import utc_window
from daybook.wording import counted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import URL, Connection, Engine, TextClause

    from daybook.pos.source import Page
    from daybook.sales.store import Store

_TABLES: Final[tuple[TableName, ...]] = get_args(TableName)
_BLOCK_ROWS: Final = 10_000
_PAGE_RECEIPTS: Final = 20_000
_PARAMETERS: Final = frozenset({"first_at", "last_at", "stores"})
_BOUNDS: Final = frozenset({"first_at", "last_at"})
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_TIMED_OUT: Final = "57014"
# SQLSTATE classes: connection, transaction rolled back, resources, lock, shut down.
_MAY_WORK_LATER: Final = ("08", "40", "53", "55", "57")


class Queries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The three queries, and how many seconds each may take before its next rows come."""

    receipts: str
    lines: str
    tenders: str
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 600


class SqlSource:
    """Receipts in a database; see the module's docstring."""

    def __init__(self, url: str, queries: Queries, *, page_receipts: int = _PAGE_RECEIPTS) -> None:
        """Check the address and the queries; the database is asked when receipts are.

        Raises:
            InputError: the address is none, or a query does not name the dates it is asked for.
        """
        self._url = _parsed(url)
        self._statements = {name: _statement(name, getattr(queries, name)) for name in _TABLES}
        self._timeout_seconds = queries.timeout_seconds
        self._page_receipts = page_receipts

    @property
    def name(self) -> str:
        """The database, without credentials."""
        return f"database {_shown(self._url)}"

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        """The stores' receipts of the window, in pages.

        Raises:
            InputError: a query is wrong, or its columns are.
            Unavailable: the database does not answer, or not in time.
        """
        window = window_of(stores, first_date, last_date)
        store_ids = frozenset(store.store_id for store in stores)
        values = _values(stores, first_date, last_date)
        with tempfile.TemporaryDirectory(prefix="daybook-") as folder:
            part = self._part(Path(folder))
            self._fetch(part, values)
            yield from part_pages(
                part,
                store_ids,
                window,
                known_store_ids=known_store_ids,
                page_receipts=self._page_receipts,
                has_other_lines=True,
            )

    def _part(self, folder: Path) -> Part:
        local = fsspec.filesystem("file")
        return Part(
            **{
                name: TableFile(
                    table=name,
                    part="",
                    file_system=local,
                    path=str(folder / f"{name}.parquet"),
                    url=f"query {name} of {_shown(self._url)}",
                )
                for name in _TABLES
            }
        )

    def _fetch(self, part: Part, values: Mapping[str, Any]) -> None:
        """Run the queries and keep their rows in the part's files."""
        with _opened(self._url) as engine, self._reading(engine) as connection:
            for name in _TABLES:
                statement, file = self._statements[name], getattr(part, name)
                used = {key: values[key] for key in statement.compile().params}
                with self._explained(f"The query {name}"):
                    rows = connection.execution_options(yield_per=_BLOCK_ROWS).execute(
                        statement, used
                    )
                    spool(file, list(rows.keys()), rows.partitions())

    @contextmanager
    def _reading(self, engine: Engine) -> Iterator[Connection]:
        """A transaction that sees one moment, may not write, and does not wait for ever."""
        with self._explained("The connection"):
            connection = engine.connect()
        with connection:
            with self._explained("The transaction"):
                connection = _guarded(connection, self._timeout_seconds)
            yield connection
            connection.rollback()

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn what the database says into a sentence, and into whether to try again."""
        where = _shown(self._url)
        try:
            yield
        except DBAPIError as error:
            sqlstate = getattr(error.orig, "sqlstate", None) or ""
            said = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
            if sqlstate == _TIMED_OUT:
                seconds = counted(self._timeout_seconds, "second")
                raise Unavailable(
                    f"{what} to {where} was stopped after {seconds} without rows; add an "
                    "index on the time, or raise timeout_seconds in the options."
                ) from None
            is_away = error.connection_invalidated or what == "The connection"
            if is_away or sqlstate.startswith(_MAY_WORK_LATER):
                raise Unavailable(f"The database {where} does not answer: {said}") from None
            raise InputError(
                f"{what} was refused by the database {where}: {said}. Correct it in the options."
            ) from None
        except SQLAlchemyError as error:
            raise InputError(
                f"{what} cannot be used with the database {where} ({type(error).__name__}); "
                "each query must be one SELECT."
            ) from None


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InputError(
            "The address of the database cannot be read (not shown, it may hold a password); write "
            "it like sql+postgresql://user:password@host:5432/pos."
        ) from None
    return parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))


def _shown(url: URL) -> str:
    """Kind, host and name of the database."""
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{url.host or ''}{port}/{url.database or ''}"


def _statement(name: TableName, query: str) -> TextClause:
    """The query with its parameters; others than the three, or none for the dates, are refused."""
    statement = text(query)
    used = frozenset(statement.compile().params)
    if unknown := sorted(used - _PARAMETERS):
        raise InputError(
            f"The query {name} names the parameter :{unknown[0]}; there are :first_at, :last_at "
            r"and :stores. Write a colon that means no parameter as \:."
        )
    if missing := sorted(_BOUNDS - used):
        raise InputError(
            f"The query {name} does not name :{missing[0]}; it must ask for the receipts sold at "
            "or after :first_at and before :last_at, or it would read the whole table each time."
        )
    types = [bindparam(key, type_=DateTime(timezone=True)) for key in sorted(_BOUNDS)]
    if "stores" in used:
        return statement.bindparams(*types, bindparam("stores", expanding=True))
    return statement.bindparams(*types)


def _values(
    stores: Sequence[Store], first_date: dt.date, last_date: dt.date
) -> dict[str, dt.datetime | list[str]]:
    """What the parameters stand for: [first_at, last_at) covers the dates of all the stores."""
    clocks = {(store.time_zone, store.cutoff) for store in stores}
    intervals = [utc_window(first_date, last_date, zone, cutoff) for zone, cutoff in clocks]
    return {
        "first_at": min(start for start, _ in intervals),
        "last_at": max(end for _, end in intervals),
        "stores": sorted(store.store_id for store in stores),
    }


@contextmanager
def _opened(url: URL) -> Iterator[Engine]:
    """An engine that keeps no connections."""
    try:
        engine = create_engine(url, poolclass=NullPool)
    except (NoSuchModuleError, ImportError):
        raise InputError(
            f"The Python package for {url.drivername} databases is not installed beside Daybook; "
            "install it, or correct DAYBOOK_POS_URL."
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()


def _guarded(connection: Connection, timeout_seconds: int) -> Connection:
    """The connection, kept from writing as far as this kind of database lets itself be kept."""
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        connection.execute(text(f"SET LOCAL statement_timeout = '{timeout_seconds}s'"))
        connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
    elif connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA query_only = ON"))
    return connection
