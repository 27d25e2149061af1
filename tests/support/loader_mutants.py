"""Loaders that are broken on purpose, each without one of the things that make it exact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from daybook.errors import UnknownOutcome
from daybook.jobs import attach, post_round
from daybook.jobs import post as post_module
from daybook.ledger import documents
from daybook.xero.client import XeroClient

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from daybook.ledger.documents import OpenDocument, Settlement


def mutate(name: str) -> None:
    """Break this process's loader in the way that is named; "" leaves it whole."""
    mutants = {
        "": lambda: None,
        "no_intent": _without_intent,
        "no_lookup": _without_lookup,
        "no_key": _without_key,
        "one_key": _with_one_key_for_all,
        "sends_again": _sending_again,
        "no_list": _without_list,
    }
    mutants[name]()


def _replace(owner: object, name: str, broken: object) -> None:
    setattr(owner, name, broken)


def _without_intent() -> None:
    """The intent is rolled back, so that after a crash the ledger knows of no call."""
    claim, settle = documents.claim, documents.settle

    def claim_and_forget(connection: Connection, *args: Any, **kwargs: Any) -> list[OpenDocument]:  # noqa: ANN401 - passed on
        with connection.begin_nested() as savepoint:
            claimed = claim(connection, *args, **kwargs)
            savepoint.rollback()
        return claimed

    def claim_and_settle(
        connection: Connection,
        settlements: Sequence[Settlement],
        **kwargs: Any,  # noqa: ANN401 - passed on
    ) -> None:
        ids = [one.document_id for one in settlements]
        claim(connection, ids, idempotency_key="k", run_id="r", now_at=kwargs["now_at"])
        settle(connection, settlements, **kwargs)

    _replace(post_round, "claim", claim_and_forget)
    _replace(post_round, "settle", claim_and_settle)


def _without_lookup() -> None:
    """What is not known to have arrived counts as absent."""

    def all_absent(
        _client: XeroClient, unsettled: Sequence[OpenDocument], _in_use: object
    ) -> list[Settlement]:
        return [documents.Settlement(one.document_id, "planned", "absent") for one in unsettled]

    _replace(post_module, "look_up", all_absent)


def _without_list() -> None:
    """Of no bank transaction it is asked which files are on it."""
    _replace(attach, "attached_files", lambda _client, _id_xero: ())


def _without_key() -> None:
    """Writes carry no idempotency key."""
    send = XeroClient._send_within_limits  # noqa: SLF001 - broken on purpose

    def send_without(client: XeroClient, call: Any) -> Any:  # noqa: ANN401 - private types
        headers = {k: v for k, v in call.headers.items() if k != "Idempotency-Key"}
        return send(client, replace(call, headers=headers))

    _replace(XeroClient, "_send_within_limits", send_without)


def _with_one_key_for_all() -> None:
    """Every batch of a run has the same key."""

    class _OneUuid:
        hex = "the-same-for-all"

    _replace(post_round, "uuid4", _OneUuid)


def _sending_again() -> None:
    """A write whose reply was lost is sent again by the client itself, as SDKs do."""
    write = XeroClient.write

    def write_twice(client: XeroClient, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        try:
            return write(client, *args, **kwargs)
        except UnknownOutcome:
            again = f"{kwargs.pop('idempotency_key')}-2"
            return write(client, *args, idempotency_key=again, **kwargs)

    _replace(XeroClient, "write", write_twice)
