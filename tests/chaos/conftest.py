"""What the chaos tests share: nights that are set up once and begun again for every scenario."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from kopi_night import night, night_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg
    from kopi_night import Night

    from daybook.ledger.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def new_database(
    postgres: EmbeddedPostgres, postgres_admin: psycopg.Connection, migrated_database: str
) -> Iterator[Callable[[], str]]:
    """Makes ledgers that live as long as this worker's session."""
    names = []

    def create() -> str:
        names.append(f"chaos_{uuid.uuid4().hex}")
        postgres_admin.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {migrated_database}")
        return postgres.url(names[-1])

    yield create
    for name in names:
        postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def small_night(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    """Two store-days with every kind of document, their payments in more than one batch."""
    folder = tmp_path_factory.mktemp("night")
    with night(new_database(), folder, night_totals(2, 1), batch_documents=6) as small:
        yield small


@pytest.fixture
def scenarios(
    small_night: Night, record_property: Callable[[str, object], None]
) -> Iterator[Night]:
    """The small night; the scenarios that a test makes of it are counted."""
    before = small_night.scenario_count
    yield small_night
    record_property("scenarios", small_night.scenario_count - before)
