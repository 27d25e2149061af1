"""Ports: the one asked for while it is free, otherwise another."""

from __future__ import annotations

import socket

from deployments.demo.ports import port_or_free


def test_a_free_port_is_taken_and_a_taken_one_replaced() -> None:
    """The wish is granted unless somebody listens there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        replacement = port_or_free(port)

    assert replacement not in {0, port}
    assert port == port_or_free(port)
