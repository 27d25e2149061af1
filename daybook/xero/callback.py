"""Waits on this machine for the browser to come back from Xero's consent page."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from daybook.errors import InputError, SettingError

_PAGE: Final = b"""<!doctype html><meta charset="utf-8"><title>Daybook</title>
<body style="font:16px system-ui;margin:4rem">Thank you. Go back to the terminal: it says whether
the organisation is connected. This page can be closed.</body>"""


class _Listener(HTTPServer):
    """Keeps the query of the first request to the redirect address."""

    path_wanted = "/"
    answer: dict[str, str] | None = None


class _Callback(BaseHTTPRequestHandler):
    """Answers the browser; anything but the redirect address is 404."""

    server: _Listener

    def do_GET(self) -> None:
        """Answer the browser."""
        address = urlsplit(self.path)
        if address.path != self.server.path_wanted:
            self.send_error(404)
            return
        self.server.answer = dict(parse_qsl(address.query))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: object) -> None:
        """Log nothing: the query holds the code."""


def wait_for_browser(redirect_url: str, *, seconds: float) -> dict[str, str]:
    """Return the query parameters with which the browser comes to the redirect address.

    Raises:
        SettingError: the address is not on this machine, or its port is taken.
        InputError: nobody came in time.
    """
    address = urlsplit(redirect_url)
    if address.hostname not in ("localhost", "127.0.0.1") or address.scheme != "http":
        raise SettingError(
            f"DAYBOOK_XERO_REDIRECT_URL is {redirect_url}; to connect from a terminal it has to be "
            "an address on this machine, such as http://localhost:8765/callback."
        )
    try:
        server = _Listener(("127.0.0.1", address.port or 80), _Callback)
    except OSError as error:
        raise SettingError(
            f"Port {address.port or 80} of DAYBOOK_XERO_REDIRECT_URL is taken ({error.strerror}). "
            "End the program that uses it, or choose another port there and in the Xero app."
        ) from error
    server.path_wanted = address.path or "/"
    deadline = time.monotonic() + seconds
    with server:
        while server.answer is None:
            server.timeout = deadline - time.monotonic()
            if server.timeout <= 0:
                raise InputError(
                    "Nobody came back from Xero's page in time. Run it again and allow the access."
                )
            server.handle_request()
    return server.answer
