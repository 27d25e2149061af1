"""Messages between the parent and a worker, which may have been taken over by a file."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from daybook.spend.fit import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The parent's end and the worker's."""
    parent, worker = socket.socketpair()
    with parent, worker:
        yield parent, worker


def _received(parent: socket.socket, seconds: float = 60) -> tuple[wire.Answer, list[bytes]]:
    return wire.receive_answer(parent, time.monotonic() + seconds, 100)


def test_an_answer_arrives_as_it_was_sent(pair: Pair) -> None:
    """Head and payloads."""
    parent, worker = pair
    answer = wire.Answer(extensions=("jpg", "pdf"), changes=((), ()), payloads=(3, 2))
    wire.send(worker, answer, [b"abc", b"de"])
    assert (answer, [b"abc", b"de"]) == _received(parent)


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">I", 2_000_000_000),
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 4) + b"\x80\x04N.",
        b"",
    ],
)
def test_nonsense_is_an_error_at_once(pair: Pair, sent: bytes) -> None:
    """No memory is taken for it, nothing in it is run."""
    parent, worker = pair
    worker.sendall(sent)
    worker.close()
    with pytest.raises((ValueError, EOFError)):
        _received(parent)


@pytest.mark.parametrize("payloads", [(101,), (60, 60), (200, -150)])
def test_more_than_was_asked_for_is_not_read(pair: Pair, payloads: tuple[int, ...]) -> None:
    """The lengths are checked before the payloads."""
    parent, worker = pair
    wire.send(worker, wire.Answer(payloads=payloads))
    with pytest.raises(ValueError, match="larger than"):
        _received(parent)


def test_an_answer_that_does_not_end_is_given_up(pair: Pair) -> None:
    """Bytes that trickle in do not prolong the time."""
    parent, worker = pair
    head = msgspec.json.encode(wire.Answer(payloads=(50,)))
    worker.sendall(struct.pack(">I", len(head)) + head + b"abc")
    with pytest.raises(TimeoutError):
        _received(parent, 0.2)
