"""The rule about sockets holds: a unit test cannot open one."""

from __future__ import annotations

import socket

import pytest


def test_unit_tests_cannot_open_a_socket() -> None:
    """A unit test that reaches for the network fails at once."""
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.socket()
