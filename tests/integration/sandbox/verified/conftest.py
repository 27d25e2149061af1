"""An organisation to verify Xero's rules in: the sandbox's, or a real demo company."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from verified_place import DemoCompany, open_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verified_place import XeroPlace


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let these tests out to Xero, if a demo company is given."""
    if DemoCompany().is_given:
        for item in items:
            if item.get_closest_marker("xero_verified"):
                item.own_markers[:] = [one for one in item.own_markers if one.name != "allow_hosts"]


@pytest.fixture(scope="session")
def signed_in() -> Iterator[XeroPlace]:
    """One organisation for all tests."""
    with open_place(DemoCompany()) as place:
        yield place


@pytest.fixture
def place(signed_in: XeroPlace) -> Iterator[XeroPlace]:
    """The organisation; what a test leaves in it is undone."""
    yield signed_in
    signed_in.clean_up()
