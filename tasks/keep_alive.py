"""Keeps the connections to Xero alive, and names those that need a person."""

from __future__ import annotations

from daybook import wiring
from daybook.jobs.connect import keep_alive as keep_alive_job
from tasks.step import step


@step("keep connections alive")
def keep_alive() -> tuple[str, ...]:
    """Renew connections that nothing has used for a month; a sentence for each that has ended."""
    wired = wiring.shared()
    return keep_alive_job(wired.xero()) if wired.organisations() else ()
