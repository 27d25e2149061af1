"""The pipeline that both sales flows run over a set of store-days, oldest first.

extract -> total -> plan, in bounded chunks; then post, whose batches are filled across stores and
dates; then read Xero back. A store-day that cannot be posted stops no other: it is listed at the
end, and the run fails with that list, so that a retry does only what is missing.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from prefect.runtime import flow_run
from prefect.states import Completed

from daybook import wiring
from daybook.errors import DaybookError, InputError
from daybook.jobs.choose_store_days import runs_of_dates
from tasks.extract import extract
from tasks.forecast import compare, forecast
from tasks.go_on import rest_of
from tasks.plan import plan
from tasks.post import post
from tasks.report import Reported, preview, report
from tasks.step import error_of
from tasks.total import total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prefect.client.schemas.objects import State
    from prefect.futures import PrefectFuture

    from daybook.jobs.extract import Extracted
    from daybook.jobs.post import Posted
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay


class StoreDaysNotPosted(DaybookError):
    """Some store-days are not in Xero as they should be."""


def post_store_days(
    store_days: Sequence[StoreDay],
    *,
    dry_run: bool,
    keep_reserve: bool = False,
    given_up: Sequence[str] = (),
) -> State[str]:
    """Bring these store-days into Xero; `dry_run` shows the plan and writes nothing anywhere.

    A run with something `given_up` fails with it, whatever else it did.
    """
    if not store_days and not given_up:
        return _done("Nothing to do: every store-day asked for is posted already.")
    if not store_days:
        raise StoreDaysNotPosted("\n".join(given_up))
    if dry_run:
        said = preview(list(store_days), _span(store_days))
        return _done("\n".join([said, *given_up]))
    run_id = flow_run.id or "by hand"
    days, failures = _planned(store_days, run_id)
    failures += given_up
    since_at = wiring.shared().clock.now()
    expected = {
        organisation: forecast(organisation, days, keep_reserve=keep_reserve)
        for organisation in wiring.shared().organisations_of(days)
    }
    failures += _posted(expected, days, run_id, keep_reserve=keep_reserve)
    reported = _reported(list(store_days))
    for organisation, calls in expected.items():
        compare(organisation, calls, since_at)
    if failures or reported.problems:
        raise StoreDaysNotPosted("\n".join([*failures, *reported.problems]))
    return _done(reported.summary)


def _posted(
    organisations: Iterable[Organisation],
    days: list[StoreDay],
    run_id: str,
    *,
    keep_reserve: bool,
) -> list[str]:
    """Post into each organisation, a few at a time, since each has limits of its own.

    Returns what went wrong. What the day's calls did not suffice for is scheduled anew.
    """
    # Also when nothing is planned: a run that was killed may have left calls to be looked up.
    match list(organisations):
        case [only]:  # A thread of its own would go on posting when the run is cancelled.
            state = post(only, days, run_id, keep_reserve=keep_reserve, return_state=True)
            states = {only: state}
        case several:
            posting = {
                one: post.submit(one, days, run_id, keep_reserve=keep_reserve) for one in several
            }
            states = {one: _ended(future) for one, future in posting.items()}
    errors = {one: error for one, state in states.items() if (error := error_of(state))}
    said = [f"{one.name}: {error}" for one, error in errors.items()]
    return said + rest_of(errors.values())


def _reported(store_days: list[StoreDay]) -> Reported:
    """What the run came to; that Xero cannot be read back now hides nothing else."""
    state = report(store_days, _span(store_days), return_state=True)
    if error := error_of(state):
        return Reported("", (f"Not checked: {error}",))
    return state.result()


def _ended(future: PrefectFuture[Posted]) -> State[Posted]:
    future.wait()
    return future.state


def _planned(store_days: Sequence[StoreDay], run_id: str) -> tuple[list[StoreDay], list[str]]:
    """Extract, total and plan chunk by chunk: which store-days were, and what is wrong.

    Dates that the source does not give out, be it for their age, stop no others.
    """
    days: list[StoreDay] = []
    failures: list[str] = []
    refused: list[InputError] = []
    for chunk in _chunks(store_days, wiring.shared().settings.chunk_store_days):
        try:
            extracted = _extract(chunk, run_id)
        except InputError as error:
            refused.append(error)
            continue
        held = {day: hold for one in extracted for day, hold in one.held.items()}
        failures += dict.fromkeys(sentence for one in extracted for sentence in one.sentences)
        totalled = total(chunk, _span(chunk), run_id)
        plan(chunk, totalled, held, span=_span(chunk), run_id=run_id)
        days += chunk
    if refused and not days:
        raise refused[0]
    return days, [*dict.fromkeys(map(str, refused)), *failures]


def _done(sentence: str) -> State[str]:
    """Completed, with a message that the UI shows beside the run."""
    return Completed(message=sentence, data=sentence)


def _extract(chunk: list[StoreDay], run_id: str) -> list[Extracted]:
    """Extract by groups of stores, a few at a time."""
    size = wiring.shared().settings.extract_group_size
    stores = sorted({day.store_id for day in chunk})
    first, last = chunk[0].business_date, chunk[-1].business_date
    futures = [
        extract.submit(stores[start : start + size], first, last, run_id)
        for start in range(0, len(stores), size)
    ]
    return [future.result() for future in futures]


def _chunks(store_days: Sequence[StoreDay], size: int) -> Iterator[list[StoreDay]]:
    """Whole dates, oldest first, as many to a chunk as fit; never less than one date."""
    for run in runs_of_dates(store_days):
        chunk: list[StoreDay] = []
        for _, days in groupby(run, key=attrgetter("business_date")):
            of_date = list(days)
            if chunk and len(chunk) + len(of_date) > size:
                yield chunk
                chunk = []
            chunk = chunk + of_date
        yield chunk


def _span(store_days: Sequence[StoreDay]) -> str:
    first, last = min(store_days).business_date, max(store_days).business_date
    return f"{first}" if first == last else f"{first} to {last}"
