"""A client of the sandbox that holds every answer against the official SDK's own models."""

from __future__ import annotations

import functools
import json
import re
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xero_python.accounting import models

if TYPE_CHECKING:
    import httpx

    from daybook.sandbox.server import RunningSandbox

API = "/api.xro/2.0"
REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
# Fields of real answers the SDK's models lack: seen in the recorded answers or in Xero's documents.
BEYOND_THE_MODELS = {
    "DateString",
    "DueDateString",
    "UpdatedDateUTCString",
    "DateUTCString",
    "InvoicePaymentServices",
    "ID",
    "IsDeleted",
    "IsArchived",
    "IsActive",
    "HasValidationErrors",
    "HasErrors",
    "ValidationErrors",
    "OrganisationEntityType",
    "DisplayTaxRate",
    "AllocationID",
}
_DATE = re.compile(r"^/Date\(-?\d+\+0000\)/$")


def check_model(name: str, value: object, path: str) -> None:
    """Hold a JSON value against a type of the SDK: unknown field, wrong type or enum fails."""
    if name.startswith("list["):
        assert isinstance(value, list), f"{path} is not a list"
        for index, item in enumerate(value):
            check_model(name[5:-1], item, f"{path}[{index}]")
    elif name in _PRIMITIVES:
        assert _PRIMITIVES[name](value), f"{path} = {value!r} is not a {name}"
    else:
        _check_object(getattr(models, name), value, path)


_PRIMITIVES = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, (int, Decimal)) and not isinstance(value, bool),
    "date[ms-format]": lambda value: bool(_DATE.match(str(value))),
    "datetime[ms-format]": lambda value: bool(re.match(r"^/Date\(-?\d+(\+0000)?\)/$", str(value))),
    "date": lambda value: isinstance(value, str),
    "datetime": lambda value: isinstance(value, str),
}


def _check_object(model: Any, value: object, path: str) -> None:  # noqa: ANN401  a class of the SDK
    if issubclass(model, Enum):
        model(value)
        return
    assert isinstance(value, dict), f"{path} is not an object"
    attributes = {key: attribute for attribute, key in model.attribute_map.items()}
    for key, item in value.items():
        if key not in attributes:
            assert key in BEYOND_THE_MODELS, f"{model.__name__} has no {key} ({path})"
            continue
        attribute = attributes[key]
        check_model(model.openapi_types[attribute], item, f"{path}.{key}")
        if isinstance(item, str) and model.openapi_types[attribute] == "str":
            setattr(model.__new__(model), attribute, item)


@functools.cache
def _model_of(plural: str) -> str:
    return {"Organisations": "Organisations", "Currencies": "Currencies"}.get(plural, plural)


class Caller:
    """Calls the sandbox as an authorised app; every 200 must fit the SDK's models."""

    def __init__(self, sandbox: RunningSandbox, http: httpx.Client) -> None:
        """Get a token with the ready refresh token."""
        self.sandbox, self.http = sandbox, http
        self.tenant_id = sandbox.bootstrap.organisations[0].tenant_id
        self.refresh_token = sandbox.bootstrap.refresh_token
        self.answers: list[tuple[str, str, Any]] = []
        self.sign_in()

    def sign_in(self) -> None:
        """Get a fresh access token, as after the old one expired."""
        boot = self.sandbox.bootstrap
        answer = self.http.post(
            "/connect/token",
            data={"grant_type": "refresh_token", "refresh_token": self.refresh_token},
            auth=(boot.client_id, boot.client_secret),
        )
        self.refresh_token = answer.json()["refresh_token"]
        self.token: str = answer.json()["access_token"]
        self.headers = {
            "Authorization": f"Bearer {self.token}",
            "xero-tenant-id": self.tenant_id,
            "Accept": "application/json",
        }

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's own
        """Send one call; nothing is checked."""
        headers = self.headers | options.pop("headers", {})
        return self.http.request(method, API + path, headers=headers, **options)

    def ok(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON
        """Send one call that must succeed and return its checked content."""
        answer = self.send(method, path, **options)
        assert answer.status_code == 200, answer.text
        content = json.loads(answer.content, parse_float=Decimal)
        self.answers.append((method, path, content))
        for plural, elements in content.items():
            if isinstance(elements, list):
                for index, element in enumerate(elements):
                    if "HasErrors" not in element or not element.get("ValidationErrors"):
                        self._check(plural, element, f"{plural}[{index}]")
        return content

    def _check(self, plural: str, element: Any, path: str) -> None:  # noqa: ANN401  JSON
        model = getattr(models, _model_of(plural), None)
        if model is None:
            check_model("TrackingOption", element, path)
            return
        kind = next(
            model.openapi_types[attribute]
            for attribute, key in model.attribute_map.items()
            if key == plural
        )
        check_model(kind[5:-1], element, path)

    def one(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON
        """Send one call that answers with exactly one element and return it."""
        content = self.ok(method, path, **options)
        (element,) = next(value for value in content.values() if isinstance(value, list))
        return element

    def refused(self, method: str, path: str, **options: Any) -> list[str]:  # noqa: ANN401  httpx's own
        """Send one call that must be refused by validation and return all messages."""
        answer = self.send(method, path, **options)
        assert answer.status_code == 400, answer.text
        content = answer.json()
        check_model("Error", {k: v for k, v in content.items() if k != "Elements"}, "error")
        found = [
            problem["Message"]
            for element in content.get("Elements", [])
            for problem in element.get("ValidationErrors", [])
        ]
        return found or [content["Message"]]

    def control(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON
        """Send a control call that must succeed."""
        answer = self.http.request(method, f"/_sandbox{path}", **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


def sales_line(amount: str | float, **fields: object) -> dict[str, object]:
    """A sales line of the default chart; 15 % GST."""
    return {
        "Description": "Food",
        "Quantity": 1,
        "UnitAmount": amount,
        "AccountCode": "200",
        "TaxType": "OUTPUT2",
        **fields,
    }


def sales_invoice(number: str, *amounts: str | float, **fields: object) -> dict[str, object]:
    """An approved sales invoice of 14 July 2026, amounts inclusive of tax."""
    return {
        "Type": "ACCREC",
        "Contact": {"Name": "POS Sales"},
        "Date": "2026-07-14",
        "DueDate": "2026-07-14",
        "LineAmountTypes": "Inclusive",
        "InvoiceNumber": number,
        "Status": "AUTHORISED",
        "LineItems": [sales_line(amount) for amount in amounts or ("115.00",)],
        **fields,
    }
