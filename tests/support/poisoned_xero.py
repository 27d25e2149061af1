"""A way to Xero on which every write that holds a certain word is refused without saying why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import httpx

WORDS = "A validation exception occurred"
_REFUSAL = {"ErrorNumber": 10, "Type": "ValidationException", "Message": WORDS}


@dataclass
class PoisonedTransport(httpx.BaseTransport):
    """Refuses as a whole; with `saves_others` what is not poisoned was saved all the same."""

    poison: str
    saves_others: bool = False
    refused_count: int = 0
    saved: set[str] = field(default_factory=set)
    sent_again: list[str] = field(default_factory=list)  # what was saved behind a refusal
    inner: httpx.HTTPTransport = field(default_factory=lambda: httpx.HTTPTransport(verify=False))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, unless it is a write that holds the poison."""
        if request.method != "PUT":
            return self.inner.handle_request(request)
        ((collection, elements),) = json.loads(request.read()).items()
        others = [one for one in elements if self.poison not in json.dumps(one)]
        self.sent_again += self.saved.intersection(map(json.dumps, elements))
        if others == elements:
            return self.inner.handle_request(request)
        self.refused_count += 1
        if self.saves_others and others:
            self._save(request, {collection: others})
            self.saved.update(map(json.dumps, others))
        return httpx.Response(400, json=_REFUSAL)

    def _save(self, request: httpx.Request, body: object) -> None:
        headers = {k: v for k, v in request.headers.items() if k != "content-length"}
        saved = httpx.Request(request.method, request.url, headers=headers, json=body)
        self.inner.handle_request(saved).read()

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()
