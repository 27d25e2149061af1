"""Ports of 127.0.0.1: the one asked for, or a free one."""

from __future__ import annotations

import socket


def port_or_free(port: int) -> int:
    """Return this port if nobody listens on it, otherwise any free one."""
    return port if _is_free(port) else _any_free()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set this too: a port whose last connections are just closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
