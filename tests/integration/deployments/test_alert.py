"""The alert that the operations manual prints is one that Prefect understands."""

from __future__ import annotations

import pytest
import yaml
from doc_blocks import doc_blocks

pytestmark = pytest.mark.prefect


def test_printed_alert_tells_of_every_run_that_failed() -> None:
    """Failed and crashed runs of all deployments, with what the run says of itself."""
    from prefect.events.schemas.automations import AutomationCore  # noqa: PLC0415 - slow to import

    (printed,) = doc_blocks("operations.md", "yaml")
    alert = AutomationCore.model_validate(yaml.safe_load(printed))
    trigger = alert.trigger.model_dump(mode="json")
    assert {"prefect.flow-run.Failed", "prefect.flow-run.Crashed"} == set(trigger["expect"])
    assert {
        "prefect.resource.role": "tag",
        "prefect.resource.id": "prefect.tag.daybook",
    } == trigger["match_related"]
    (action,) = alert.actions
    assert "{{ flow_run.state.message }}" == action.model_dump(mode="json")["body"]
