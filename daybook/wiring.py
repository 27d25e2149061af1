"""Puts the parts together for one process: settings in, jobs' collaborators out."""

from __future__ import annotations

import atexit
import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from daybook.clock import SystemClock
from daybook.errors import SettingError
from daybook.expenses.attachment_limits import FitLimits
from daybook.expenses.backoff import RetryPolicy
from daybook.ledger.call_budget import LedgerCallBudget, Limits
from daybook.ledger.connections import Connections
from daybook.ledger.engine import open_engine
from daybook.ledger.migrate import upgrade
from daybook.ledger.organisations import read_organisations
from daybook.ledger.stores import read_stores
from daybook.on_use import loaded_on_use
from daybook.pos.source_context import SourceContext, parse_options
from daybook.settings import Settings, load_settings
from daybook.spend.source import NoReceipts

with loaded_on_use():
    from daybook.jobs import choose_store_days, connect
    from daybook.ledger import embedded
    from daybook.pos import registry
    from daybook.spend import aspire as aspire_api
    from daybook.spend import files as expense_files
    from daybook.spend import receipt_folder, receipts_api
    from daybook.spend.fit import fitter as fitting
    from daybook.xero import client as xero_client
    from daybook.xero import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import httpx
    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.ledger.organisations import Organisation
    from daybook.pos.source import ReceiptSource
    from daybook.sales.store import Store, StoreDay
    from daybook.spend.source import ExpenseSource, ReceiptStore
    from daybook.xero.client import XeroClient

_REAL_LOGIN: Final = "https://login.xero.com"
_REAL_PAGES: Final = "https://go.xero.com/app/invoicing/view"


@dataclass
class Wiring:
    """One process's collaborators, each made when first asked for; `close` gives them all back."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    _open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def engine(self) -> Engine:
        """The ledger, migrated; where no database is named, the one Daybook runs itself."""
        url = self.settings.database_url
        if url is None:
            server = self._open.enter_context(embedded.start(self.settings.home))
            address = server.url("daybook")
        else:
            address = url.get_secret_value()
        engine = open_engine(address)
        self._open.callback(engine.dispose)
        upgrade(engine)
        return engine

    @cached_property
    def http(self) -> httpx.Client:
        """The one HTTP client of the process."""
        return self._open.enter_context(xero_client.open_http())

    @cached_property
    def source(self) -> ReceiptSource:
        """Where receipts come from."""
        return self.source_at(self.pos_url())

    def pos_url(self) -> str:
        """The address of the point of sale's receipts; raise SettingError when there is none."""
        if self.settings.pos_url is None:
            raise SettingError(
                "DAYBOOK_POS_URL is missing: set it to the folder, or the address, in which the "
                "point of sale's receipts lie."
            )
        return self.settings.pos_url.get_secret_value()

    def source_at(self, url: str, stores: Sequence[Store] | None = None) -> ReceiptSource:
        """The source at an address, with the settings' options; of these or the ledger's stores."""
        return registry.source_of(url, self._source_context(stores))

    def _source_context(self, stores: Sequence[Store] | None = None) -> SourceContext:
        token, path = self.settings.pos_token, self.settings.pos_options
        return SourceContext(
            tables={} if path is None else parse_options(_options_text(path), str(path)),
            where="" if path is None else str(path),
            stores=self._stores if stores is None else lambda: stores,
            token=None if token is None else token.get_secret_value(),
            http=lambda: self.http,
            clock=self.clock,
        )

    @cached_property
    def expense_sources(self) -> list[ExpenseSource]:
        """Where expenses come from."""
        sources: list[ExpenseSource] = []
        if self.settings.spend_url is not None:
            sources.append(expense_files.ExpenseFiles(self.settings.spend_url))
        if self.aspire is not None:
            sources.append(aspire_api.AspireSource(self.aspire))
        if not sources:
            raise SettingError(
                "No source of expenses is set: set DAYBOOK_SPEND_URL to a CSV file of expenses, or "
                "DAYBOOK_ASPIRE_CLIENT_ID and DAYBOOK_ASPIRE_CLIENT_SECRET to an Aspire API key."
            )
        return sources

    @cached_property
    def aspire(self) -> aspire_api.AspireApi | None:
        """Aspire's API, where a key is set."""
        if self.settings.aspire_client_id is None:
            return None
        client_id, secret = self.settings.aspire_credentials()
        return aspire_api.AspireApi(
            self.http,
            self.settings.aspire_api_url,
            client_id,
            secret.get_secret_value(),
            clock=self.clock,
        )

    def receipt_store(self, source: str) -> ReceiptStore:
        """Where the receipts of a source's expenses lie."""
        if (
            source == aspire_api.NAME
            and self.settings.aspire_has_receipts
            and self.aspire is not None
        ):
            return receipts_api.ReceiptsApi(self.aspire)
        if self.settings.receipts_url is not None:
            return receipt_folder.ReceiptFolder(self.settings.receipts_url)
        return NoReceipts()

    @property
    def receipt_stores(self) -> dict[str, ReceiptStore]:
        """Where receipts lie, by source."""
        return {one.name: self.receipt_store(one.name) for one in self.expense_sources}

    @cached_property
    def fitter(self) -> fitting.Fitter:
        """What makes receipts fit; its workers end with the process."""
        return self._open.enter_context(fitting.Fitter(self.attachment_limits))

    @property
    def attachment_limits(self) -> FitLimits:
        """What an upload may be."""
        return FitLimits(
            bytes_max=self.settings.attachment_bytes, count_max=self.settings.attachment_count
        )

    @property
    def source_limits(self) -> dict[str, FitLimits]:
        """What an upload may be where a source has limits of its own."""
        found = {}
        for one in filter(None, self.settings.attachment_limits.split(",")):
            source, _, limits = one.partition("=")
            bytes_max, _, count_max = limits.partition("/")
            found[source] = FitLimits(bytes_max=int(bytes_max), count_max=int(count_max))
        return found

    @property
    def retry_policy(self) -> RetryPolicy:
        """How often, and after which waits, a failed upload is tried again."""
        return RetryPolicy(
            attempts_max=self.settings.attachment_attempts,
            first_wait=dt.timedelta(seconds=self.settings.attachment_wait_seconds),
        )

    @property
    def excluded_countries(self) -> frozenset[str]:
        """The countries whose accounts are not synced."""
        return frozenset(self.settings.expense_excluded_countries.split(",")) - {""}

    def client_by_id(self, organisation_id: int) -> XeroClient:
        """The client of a connected organisation, by its id in the ledger."""
        return self.client(self.organisations()[organisation_id])

    def _stores(self) -> list[Store]:
        with self.engine.connect() as connection:
            return [one.store for one in read_stores(connection).values()]

    def xero(self, *, keep_reserve: bool = False) -> connect.XeroAccess:
        """What it takes to reach Xero; `keep_reserve` leaves the day's last calls to the night."""
        client_id, client_secret = self.settings.xero_credentials()
        return connect.XeroAccess(
            app=identity.XeroApp(
                client_id=client_id,
                client_secret=client_secret.get_secret_value(),
                redirect_url=self.settings.xero_redirect_url,
                api_url=self.settings.xero_api_url,
                identity_url=self.settings.xero_identity_url,
                login_url=self.settings.xero_login_url,
            ),
            http=self.http,
            connections=self.connections(),
            budget=self.call_budget(keep_reserve=keep_reserve),
            clock=self.clock,
        )

    def connections(self) -> Connections:
        """The connections to Xero that the ledger keeps, with their encrypted tokens."""
        return Connections(self.engine, self.settings.encryption_key().get_secret_value())

    def call_budget(self, *, keep_reserve: bool = False) -> LedgerCallBudget:
        """The calls that all processes share."""
        limits = Limits(
            concurrent_count=self.settings.xero_concurrent_calls,
            minute_count=self.settings.xero_minute_calls,
            day_count=self.settings.xero_day_calls,
            reserve_count=self.settings.day_reserve_calls if keep_reserve else 0,
        )
        return LedgerCallBudget(self.engine, self.clock, limits)

    def client(self, organisation: Organisation, *, keep_reserve: bool = False) -> XeroClient:
        """The client of one connected organisation."""
        access = self.xero(keep_reserve=keep_reserve)
        return connect.client_of(access, organisation.connection_id, organisation.tenant_id_xero)

    def organisations(self) -> dict[int, Organisation]:
        """The connected organisations by their ids in the ledger."""
        with self.engine.connect() as connection:
            return read_organisations(connection)

    def organisations_of(self, store_days: Iterable[StoreDay]) -> list[Organisation]:
        """The organisations that these store-days are posted into, by name."""
        with self.engine.connect() as connection:
            stores = read_stores(connection, {day.store_id for day in store_days})
        wanted = {one.organisation_id for one in stores.values()}
        return [one for key, one in self.organisations().items() if key in wanted]

    def closing_rule(
        self, now_at: dt.datetime, url: str | None = None
    ) -> choose_store_days.ClosingRule:
        """When a date counts as closed, seen from then: after the grace of the source, if any.

        The source is the one at this address, or that of the settings.
        """
        closed_after = dt.timedelta(minutes=self.settings.closed_after_minutes)
        address = url or (self.settings.pos_url and self.settings.pos_url.get_secret_value())
        if address:
            grace = registry.grace_of(address, self._source_context())
            closed_after = closed_after if grace is None else grace
        return choose_store_days.ClosingRule(
            now_at,
            closed_after,
            trailing_days=self.settings.trailing_days,
            unfinished_days=self.settings.unfinished_days,
        )

    def document_url(self, id_xero: str) -> str:
        """The page on which a person sees the document: Xero's own, or the sandbox's."""
        if self.settings.xero_login_url == _REAL_LOGIN:
            return f"{_REAL_PAGES}/{id_xero}"
        return f"{self.settings.xero_api_url}/books/documents/{id_xero}"

    def close(self) -> None:
        """Give everything back; the last user of an embedded PostgreSQL stops it."""
        self._open.close()


def _options_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"The file {path}, which DAYBOOK_POS_OPTIONS names, cannot be read "
            f"({type(error).__name__}); put it there, or correct the path."
        ) from None


@cache
def shared() -> Wiring:
    """The wiring of this process, made from the environment on first use."""
    wired = Wiring(load_settings())
    atexit.register(wired.close)
    return wired
