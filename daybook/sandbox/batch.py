"""Writes of many elements at once: which are saved, which are refused, and how both are answered.

Each element stands alone. With `summarizeErrors=false` all come back in order with status 200;
without it one bad element makes the reply a 400 that lists only the bad ones, and the good ones
ARE SAVED behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.sandbox import wire
from daybook.sandbox.identifiers import NO_ID
from daybook.sandbox.routing import Reply
from daybook.sandbox.validation import Invalid, PostDataInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.routing import Call
    from daybook.sandbox.wire import Fields, Json


@dataclass(frozen=True, slots=True)
class Shape:
    """How elements of an endpoint are named and how a refused one is marked."""

    plural: str
    noun: str
    id_field: str
    error_flag: str = ""
    has_zero_id: bool = True
    has_status: bool = False


def wants_each(call: Call) -> bool:
    """Tell whether every element shall be answered (`summarizeErrors=false`)."""
    return call.query.get("summarizeerrors", "true").lower() == "false"


def run(call: Call, shape: Shape, fields: Fields, apply: Callable[[Json], Json]) -> Reply:
    """Read all elements, then apply each; `apply` raises `Invalid` before it changes anything."""
    sent = wire.elements(call.body, shape.plural, shape.noun)
    try:
        given = fields.read_all(sent)
    except PostDataInvalid as problem:
        raise problem.inside(shape.plural) from None
    call.element_count = len(given)
    return answer(call, shape, [_outcome(shape, element, apply) for element in given])


def _outcome(shape: Shape, given: Json, apply: Callable[[Json], Json]) -> tuple[bool, Json]:
    """Return whether the element was saved, and its form on the wire."""
    try:
        saved = apply(given)
    except Invalid as invalid:
        return False, refused(shape, given, invalid)
    if shape.has_status:
        saved["StatusAttributeString"] = "WARNING" if "Warnings" in saved else "OK"
    return True, saved


def refused(shape: Shape, given: Json, invalid: Invalid) -> Json:
    """Return the echo of a refused element with its messages."""
    element: Json = wire.echo(given)  # type: ignore[assignment]  # an object echoes as an object
    if shape.has_zero_id:
        element.setdefault(shape.id_field, NO_ID)
    if shape.error_flag:
        element[shape.error_flag] = True
    if shape.has_status:
        element["StatusAttributeString"] = "ERROR"
    element["ValidationErrors"] = [{"Message": message} for message in invalid.messages]
    return element


def answer(call: Call, shape: Shape, outcomes: list[tuple[bool, Json]]) -> Reply:
    """Answer element by element or summarised, as the caller asked."""
    bad = [element for is_saved, element in outcomes if not is_saved]
    if bad and not wants_each(call):
        return validation_reply(bad)
    return call.reply(**{shape.plural: [element for _, element in outcomes]})


def validation_reply(elements: list[Json]) -> Reply:
    """Return the 400 of a validation exception."""
    return Reply(
        400,
        wire.encode(
            {
                "ErrorNumber": 10,
                "Type": "ValidationException",
                "Message": "A validation exception occurred",
                "Elements": elements,
            }
        ),
    )


def bare_reply(content: Json) -> Reply:
    """Answer without an envelope, as a few deletions do."""
    return Reply(200, wire.encode(content))
