"""Messages between the parent and a worker: a JSON head of known length, then raw payloads.

Nothing is unpickled and nothing is trusted: lengths are checked before memory is taken for them.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING, Final

import msgspec

from daybook.expenses.attachment_limits import (  # noqa: TC001 - msgspec reads the annotations
    FitLimits,
    Legibility,
    SafetyLimits,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD_LENGTH: Final = struct.Struct(">I")
_HEAD_BYTES_MAX: Final = 1_000_000


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is asked: fit the file whose descriptor comes along, or merge the payloads.

    `extensions` are those of the files; to merge, every payload is a jpg, png or pdf.
    """

    task: str
    extensions: tuple[str, ...]
    limits: FitLimits
    safety: SafetyLimits
    legibility: Legibility
    budget: int
    payloads: tuple[int, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker answers: a refusal code, or what its payloads are and what was changed."""

    refusal: str = ""
    is_last: bool = False
    extensions: tuple[str, ...] = ()
    changes: tuple[tuple[str, ...], ...] = ()
    payloads: tuple[int, ...] = ()


def send(
    channel: socket.socket,
    message: Job | Answer,
    payloads: Sequence[bytes] = (),
    descriptor: int | None = None,
) -> None:
    """Send a message; its `payloads` must be the lengths of the payloads."""
    head = msgspec.json.encode(message)
    first = _HEAD_LENGTH.pack(len(head))
    if descriptor is None:
        channel.sendall(first)
    else:
        # Four bytes are never split: the descriptor rides on them.
        socket.send_fds(channel, [first], [descriptor])
    channel.sendall(head)
    for payload in payloads:
        channel.sendall(payload)


def receive_job(channel: socket.socket) -> tuple[Job, list[bytes], int | None] | None:
    """The next job with its payloads and its file, or None when the parent has gone."""
    first, descriptors, _flags, _address = socket.recv_fds(channel, _HEAD_LENGTH.size, 1)
    if not first:
        return None
    head = _exactly(channel, _HEAD_LENGTH.unpack(first)[0], None)
    job = msgspec.json.decode(head, type=Job)
    payloads = [_exactly(channel, length, None) for length in job.payloads]
    return job, payloads, descriptors[0] if descriptors else None


def receive_answer(
    channel: socket.socket, deadline: float, bytes_max: int
) -> tuple[Answer, list[bytes]]:
    """A worker's answer; raises TimeoutError, EOFError, or ValueError when it breaks the rules.

    `deadline` is on the monotonic clock.
    """
    length = _HEAD_LENGTH.unpack(_exactly(channel, _HEAD_LENGTH.size, deadline))[0]
    if length > _HEAD_BYTES_MAX:
        raise ValueError("the head of an answer is too long")
    answer = msgspec.json.decode(_exactly(channel, length, deadline), type=Answer)
    if any(length < 0 for length in answer.payloads) or sum(answer.payloads) > bytes_max:
        raise ValueError("an answer is larger than what was asked for")
    return answer, [_exactly(channel, length, deadline) for length in answer.payloads]


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    """This many bytes, by the deadline."""
    received = bytearray(length)
    view, at = memoryview(received), 0
    while at < length:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            channel.settimeout(left)
        count = channel.recv_into(view[at:])
        if count == 0:
            raise EOFError
        at += count
    return bytes(received)
