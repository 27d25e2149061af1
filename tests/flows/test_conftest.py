"""The Prefect server of the tests works and keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect import flow
from prefect.settings import PREFECT_RESULTS_LOCAL_STORAGE_PATH

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("flows")]


@flow(persist_result=False)
def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def test_a_flow_runs_on_a_server_of_the_tests(prefect_server: str) -> None:
    """The flow ends, and neither its results nor its server are the user's."""
    assert prefect_server.startswith("http://127.0.0.1:")
    assert 4 == double(2)
    assert (
        Path.home().joinpath(".prefect") not in PREFECT_RESULTS_LOCAL_STORAGE_PATH.value().parents
    )
