"""What happened to an expense, in words: who did what when, and from what to what. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daybook.money import amount_from_minor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_NAMES: Final = {"amount_minor": "amount", "spent_date": "date", "lines": "split"}
_FLAGS: Final = {
    "is_no_double": "no double of a payment in Xero",
    "needs_no_receipt": "complete without a receipt",
}
_NOTHING: Final = "nothing"


def history_rows(events: Iterable[Mapping[str, Any]], currency: str) -> list[dict[str, str | int]]:
    """One row for each event of an expense in this currency; times are UTC."""
    return [
        {
            "at": f"{row['at']:%Y-%m-%d %H:%M}",
            "who": row["actor"],
            "what": str(row["event"]).replace("_", " "),
            "detail": told(row["event"], row["detail"], currency),
        }
        for row in events
    ]


def told(event: str, detail: Mapping[str, Any], currency: str) -> str:
    """What an event's stored detail says: `account nothing -> 420; note nothing -> taxi`."""
    if event == "set":
        before, after = detail["from"], detail["to"]
        pairs = {
            name: (before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        }
    elif event == "changed":
        pairs = {name: (one["from"], one["to"]) for name, one in detail.items()}
    else:
        said = [_fact(name, value, currency) for name, value in detail.items()]
        return "; ".join(one for one in said if one)
    return "; ".join(
        _change(name, *pair, currency) for name, pair in pairs.items() if pair[0] != pair[1]
    )


def _change(name: str, before: object, after: object, currency: str) -> str:
    if name in _FLAGS:
        return _FLAGS[name] if after else f"no longer {_FLAGS[name]}"
    shown = _NAMES.get(name, name.replace("_", " "))
    return f"{shown} {_value(name, before, currency)} -> {_value(name, after, currency)}"


def _value(name: str, value: Any, currency: str) -> str:  # noqa: ANN401 - JSON of any shape
    """One side of a change."""
    if name == "tracking" and value is not None:
        return ", ".join(f"{one}={option}" for one, option in value.items()) or "none"
    if name == "lines":
        return " + ".join(_line(one, currency) for one in value or ()) or "whole"
    if value is None or value == "":
        return _NOTHING
    return _amount(value, currency) if name == "amount_minor" else str(value)


def _line(line: Mapping[str, Any], currency: str) -> str:
    """A line of a split: `12.00 SGD Meals 'taxi'`."""
    said = [_amount(line["amount_minor"], currency)]
    said += [str(line[name]) for name in ("category", "account") if line.get(name)]
    return " ".join([*said, *([f"'{line['description']}'"] if line.get("description") else [])])


def _fact(name: str, value: Any, currency: str) -> str:  # noqa: ANN401 - JSON of any shape
    """One fact of an event that changed no field."""
    if name == "amount_minor":
        return _amount(value, currency)
    say = _FACTS.get(name)
    return say(value) if say else str(value)


def _document(document: Mapping[str, Any]) -> str:
    """A document that is no longer there: its reference and date, and its id if known."""
    content, id_xero = document["content"], document.get("id_xero")
    said = f"{content['reference']} of {content['date']}"
    return f"{said}, id in Xero {id_xero}" if id_xero else said


def _amount(minor: int, currency: str) -> str:
    return f"{amount_from_minor(minor, currency)} {currency}"


_FACTS: Final[dict[str, Callable[[Any], str]]] = {
    "why": lambda value: value if isinstance(value, str) else " ".join(value),
    "problem": lambda value: str(value["sentence"]),
    "references": ", ".join,
    "documents": lambda value: "; ".join(map(_document, value)),
    "content": lambda value: _document({"content": value}),
    "uploaded_name": "as {}".format,
    "id_xero": "id in Xero {}".format,
}
