"""Which call a fault strikes."""

from __future__ import annotations

from daybook.sandbox.faults import Fault, FaultPlan, Match


def struck(plan: FaultPlan, count: int, method: str = "PUT", path: str = "/Invoices") -> list[int]:
    """Return the numbers of the calls, counted from 1, that are hit."""
    calls = range(1, count + 1)
    return [n for n in calls if plan.strike(method, f"/api.xro/2.0{path}", "t") is not None]


def test_nth_strikes_once_and_times_prolongs_it() -> None:
    """`nth` alone is one call; with `times` the calls after it too."""
    plan = FaultPlan(1)
    plan.add(Fault(fault="lost_reply", nth=3))
    assert [3] == struck(plan, 6)
    plan = FaultPlan(1)
    plan.add(Fault(fault="lost_reply", nth=3, times=2))
    assert [3, 4] == struck(plan, 6)


def test_every_strikes_again_and_again() -> None:
    """`every` counts matching calls; `times` bounds it."""
    plan = FaultPlan(1)
    plan.add(Fault(fault="lost_reply", every=2, times=2))
    assert [2, 4] == struck(plan, 8)


def test_probability_follows_the_seed() -> None:
    """The same seed hits the same calls, another seed others."""
    found = []
    for seed in (1, 1, 2):
        plan = FaultPlan(seed)
        plan.add(Fault(fault="lost_reply", probability=0.5))
        found.append(struck(plan, 40))
    assert found[0] == found[1] != found[2]
    assert 5 < len(found[0]) < 35


def test_only_matching_calls_count() -> None:
    """Method, path pattern and organisation must all fit; case of the path does not matter."""
    plan = FaultPlan(1)
    plan.add(Fault(fault="lost_reply", match=Match(method="PUT", path="/Invoices/*"), nth=2))
    assert [] == struck(plan, 5)
    assert [] == struck(plan, 5, "GET", "/Invoices/1")
    assert [2] == struck(plan, 3, "PUT", "/invoices/1")
    elsewhere = FaultPlan(1)
    elsewhere.add(Fault(fault="slow", match=Match(tenant="u")))
    assert [] == struck(elsewhere, 3)


def test_one_fault_a_call() -> None:
    """Where two are due the first one strikes; removing it leaves the other."""
    plan = FaultPlan(1)
    first = plan.add(Fault(fault="slow"))
    plan.add(Fault(fault="unavailable"))
    hit = plan.strike("GET", "/connections", "")
    assert hit is not None
    assert "slow" == hit.fault
    assert plan.remove(first.id)
    assert not plan.remove(first.id)
    again = plan.strike("GET", "/connections", "")
    assert again is not None
    assert "unavailable" == again.fault
