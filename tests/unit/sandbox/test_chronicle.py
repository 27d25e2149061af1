"""What is remembered of the generated worlds."""

from __future__ import annotations

from daybook.sandbox.chronicle import Chronicle


def test_events_come_back_in_order() -> None:
    """Each world has its own story."""
    chronicle = Chronicle()
    for world, content in (("tills", 1), ("aspire", "a"), ("tills", {"seed": 2})):
        chronicle.tell(world, content)
    assert ([b"1", b'{"seed":2}'], [b'"a"'], []) == (
        chronicle.of("tills"),
        chronicle.of("aspire"),
        chronicle.of("nowhere"),
    )


def test_a_fresh_start_forgets_what_was_before() -> None:
    """Whoever reads the story later starts there too."""
    chronicle, later = Chronicle(), Chronicle()
    chronicle.tell("tills", 1)
    chronicle.tell("aspire", "a")
    chronicle.tell("tills", 2, is_afresh=True)
    chronicle.tell("tills", 3)
    for event in chronicle.unsaved:
        later.restore(event)
    assert [b"2", b"3"] == chronicle.of("tills") == later.of("tills")
    assert chronicle.events() == later.events()
    assert [] == later.unsaved
