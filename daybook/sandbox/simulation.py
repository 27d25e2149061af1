"""The whole simulated world: clock, organisations, identity, limits, faults, log, state."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime  # noqa: TC003  msgspec reads the annotations at run time
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.chronicle import Chronicle
from daybook.sandbox.clock import Clock
from daybook.sandbox.faults import FaultPlan
from daybook.sandbox.idempotency import ReplayCache
from daybook.sandbox.identifiers import Identifiers, fixed_guid
from daybook.sandbox.identity import FULL_SCOPE, Identity
from daybook.sandbox.limits import DAY_LIMITS, Limiter, LimitSettings
from daybook.sandbox.seeding import Seeder
from daybook.sandbox.state_file import StateFile

if TYPE_CHECKING:
    from daybook.sandbox.books import Books, Change
    from daybook.sandbox.config import SandboxConfig
    from daybook.sandbox.identity import Connection
    from daybook.sandbox.wire import Json

LOG_LENGTH = 200_000
HIGH_VOLUME = 100_000
DEFAULT_ORGANISATIONS: tuple[Json, ...] = (
    {"name": "Daybook Demo", "country": "NZ", "isdemo": True, "currencies": ["AUD", "USD"]},
    {"name": "Daybook Trading (UK)", "country": "GB", "currencies": ["EUR"]},
)


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """One organisation of the bootstrap."""

    tenant_id: str
    name: str
    country: str
    currency: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """All a client needs to be pointed at the sandbox."""

    api_url: str
    identity_url: str
    login_url: str
    client_id: str
    client_secret: str
    refresh_token: str
    pkce_client_id: str
    custom_connection_client_id: str
    custom_connection_client_secret: str
    organisations: tuple[OrganisationEntry, ...]

    def as_json(self) -> dict[str, object]:
        """Return the answer of `GET /_sandbox`."""
        return asdict(self)


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """One request as it was received and answered; `sequence` counts from 1."""

    sequence: int
    at: datetime
    method: str
    path: str
    query: str
    tenant: str
    status: int
    idempotency_key: str
    element_count: int
    milliseconds: float
    fault: str
    is_replay: bool
    user: str

    def as_json(self) -> dict[str, object]:
        """Return the entry as `GET /_sandbox/requests` shows it; the time to the millisecond."""
        return msgspec.structs.asdict(self) | {"at": self.at.isoformat(timespec="milliseconds")}


class Simulation:
    """State and rules of one running sandbox; used by one event loop only."""

    def __init__(self, config: SandboxConfig) -> None:
        """Build the default world, or load the one of the state file."""
        self.config = config
        self.clock = Clock()
        self.changes: list[Change] = []
        self.log: deque[LogEntry] = deque(maxlen=LOG_LENGTH)
        self.request_count = 0
        self.high_volume = HIGH_VOLUME
        self.limiter = Limiter(LimitSettings(enabled=config.limits, day=DAY_LIMITS[config.tier]))
        self.replays = ReplayCache()
        self.chronicle = Chronicle()
        self.faults = FaultPlan(config.seed)
        if config.faults_path is not None:
            self.faults.load(config.faults_path)
        self.state_file = StateFile(config.state_path) if config.state_path else None
        self._start_world()
        if self.state_file is not None:
            self.state_file.load(self)

    def _start_world(self) -> None:
        """Create the default organisations, users and the ready refresh token."""
        config = self.config
        self.ids = Identifiers(config.seed)
        self.identity = Identity(config, self.ids)
        self.organisations: dict[str, Books] = {}
        now = self.clock.now()
        for number, given in enumerate(DEFAULT_ORGANISATIONS):
            self.put_organisation(fixed_guid(config.seed, f"organisation/{number}"), given, now)
        tenants = list(self.organisations)
        owner = self.identity.add_user("Ava Owner", "ava@example.com", tenants)
        self.identity.add_user("Sam Bookkeeper", "sam@example.com", tenants[1:])
        self.owner_id = owner.id
        app = self.identity.web
        event_id = self.identity.grant(app, owner, tenants, now)
        self.ready_token = fixed_guid(config.seed, "refresh").replace("-", "") + "ready"
        self.identity.new_refresh(app, owner.id, FULL_SCOPE, event_id, now)
        issued = self.identity.state.refresh.popitem()[1]
        self.identity.state.refresh[self.ready_token] = issued

    def put_organisation(self, tenant_id: str, given: Json, now: datetime) -> Books:
        """Create an organisation or change an existing one."""
        seeder = Seeder(self.ids.guid, now, self.changes)
        books = self.organisations.get(tenant_id)
        if books is None:
            books = seeder.new_books(tenant_id, given)
            self.organisations[tenant_id] = books
        seeder.update(books, given)
        return books

    def connect_owner(self, tenant_id: str) -> Connection | None:
        """Give the default user and app access to an organisation, as consent would."""
        owner = self.identity.state.users[self.owner_id]
        if tenant_id not in owner.tenant_ids:
            owner.tenant_ids.append(tenant_id)
        app = self.identity.web
        self.identity.grant(app, owner, [tenant_id], self.clock.now())
        return self.identity.connection(app.client_id, owner.id, tenant_id)

    def reset(self) -> None:
        """Go back to the default world; the request log and the clock start afresh too."""
        self.clock = Clock()
        self.changes.clear()
        self.log.clear()
        self.request_count = 0
        self.high_volume = HIGH_VOLUME
        self.limiter.settings = LimitSettings(
            enabled=self.config.limits, day=DAY_LIMITS[self.config.tier]
        )
        self.limiter.forget()
        self.replays.forget()
        self.faults.clear()
        self._start_world()
        if self.state_file is not None:
            self.state_file.rewrite(self)

    def save(self) -> None:
        """Append what changed since the last save to the state file, if there is one."""
        if self.state_file is not None:
            self.state_file.append(self)
        self.forget_changes()

    def forget_changes(self) -> None:
        """Everything is in the state file, or nobody wants it there."""
        self.changes.clear()
        self.replays.unsaved.clear()
        self.limiter.unsaved.clear()
        self.chronicle.unsaved.clear()

    def bootstrap(self) -> Bootstrap:
        """Return what a client needs."""
        url, identity = self.config.base_url, self.identity
        entries = (
            OrganisationEntry(
                tenant_id=row.id,
                name=row.name,
                country=row.country,
                currency=row.currency,
                timezone=row.time_zone,
            )
            for row in (books.organisation for books in self.organisations.values())
        )
        return Bootstrap(
            api_url=url,
            identity_url=url,
            login_url=url,
            client_id=identity.web.client_id,
            client_secret=identity.web.client_secret,
            refresh_token=self.ready_token,
            pkce_client_id=identity.pkce.client_id,
            custom_connection_client_id=identity.custom.client_id,
            custom_connection_client_secret=identity.custom.client_secret,
            organisations=tuple(entries),
        )
