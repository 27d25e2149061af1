"""A Prefect server for the tests of flows, made when a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API URL of a throwaway Prefect server, one for each worker of the session.

    Use it with `@pytest.mark.prefect`. Results and state stay in a temporary folder; heartbeats are
    off, because a flow would wait a second for theirs to end.
    """
    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DO_NOT_TRACK", "1")
        patch.setenv("PREFECT_HOME", str(home))
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        # Imported here: other tests need not pay for it, and it reads the variables above.
        from prefect import settings  # noqa: PLC0415
        from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

        overrides = {
            settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
            settings.PREFECT_LOGGING_TO_API_ENABLED: False,
            settings.PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
            settings.PREFECT_RESULTS_LOCAL_STORAGE_PATH: home / "results",
        }
        # The default of 20 seconds is tight while other workers keep two cores busy.
        with (
            prefect_test_harness(server_startup_timeout=120),
            settings.temporary_settings(overrides),
        ):
            yield settings.PREFECT_API_URL.value()
