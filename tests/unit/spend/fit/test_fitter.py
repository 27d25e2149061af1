"""What the parent believes of a worker's answer."""

from __future__ import annotations

import pytest

from daybook.expenses.attachment_verdicts import Change, RefusalCode
from daybook.spend.fit.fitter import _code, _pieces
from daybook.spend.fit.wire import Answer
from daybook.spend.fit.worker import WorkerLost

JPEG = b"\xff\xd8\xff\xe0"


def test_parts_of_one_file_are_numbered() -> None:
    """So that finance sees that they belong together."""
    answer = Answer(extensions=("pdf", "pdf"), changes=(("made smaller",), ()))
    pieces = _pieces(answer, [b"%PDF-1", b"%PDF-2"], "a.pdf", ("hash",))
    assert ["a-1-of-2", "a-2-of-2"] == [piece.name for piece in pieces]
    assert (Change.RECOMPRESSED,) == pieces[0].changes


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (Answer(extensions=("jpg",), changes=((),)), b"MZ"),
        (Answer(extensions=("exe",), changes=((),)), b"MZ"),
        (Answer(extensions=("jpg",), changes=(("trust me",),)), JPEG),
        (Answer(extensions=("jpg", "jpg"), changes=((), ())), JPEG),
    ],
)
def test_an_answer_that_breaks_the_rules_counts_as_a_death(answer: Answer, content: bytes) -> None:
    """A worker that a file has taken over cannot have anything attached under another type."""
    with pytest.raises(WorkerLost) as lost:
        _pieces(answer, [content], "a", ("hash",))
    assert RefusalCode.WORKER_DIED == lost.value.code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("password", RefusalCode.PASSWORD),
        ("call 555-1234", RefusalCode.WORKER_DIED),
        ("", RefusalCode.WORKER_DIED),
    ],
)
def test_only_known_reasons_are_passed_on(said: str, code: RefusalCode) -> None:
    """Words of a worker never reach a person."""
    assert code == _code(Answer(refusal=said))
