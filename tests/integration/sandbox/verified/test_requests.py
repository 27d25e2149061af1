"""How requests are read and refused, the same in the sandbox and in Xero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from verified_place import XeroPlace

pytestmark = pytest.mark.xero_verified


def three(place: XeroPlace) -> list[str]:
    """Invoices of three days in a row; their numbers."""
    numbers = [place.number() for _ in range(3)]
    body = {
        "Invoices": [
            place.invoice(number, f"{day}.00", Date=f"2026-07-{day}", DueDate=f"2026-07-{day}")
            for day, number in enumerate(numbers, start=14)
        ]
    }
    place.ok("PUT", "/Invoices?summarizeErrors=false", json=body)
    return numbers


def test_invoices_are_found_by_their_numbers(place: XeroPlace) -> None:
    """Unknown ones are left out; a page has the lines."""
    first, second, third = three(place)
    params = {"InvoiceNumbers": f"{first},{third},{place.number()}", "page": "1"}
    found = place.ok("GET", "/Invoices", params=params)["Invoices"]
    assert {first: 1, third: 1} == {one["InvoiceNumber"]: len(one["LineItems"]) for one in found}
    assert second not in {one["InvoiceNumber"] for one in found}


def test_lists_are_filtered_ordered_and_cut_into_pages(place: XeroPlace) -> None:
    """By dates and the beginning of the number, latest first, two a page."""
    _, second, third = three(place)
    prefix = third.rpartition("-")[0]
    where = (
        "Date>=DateTime(2026, 07, 15) AND Date<DateTime(2026, 07, 17) "
        f'AND InvoiceNumber.StartsWith("{prefix}-") AND Status=="AUTHORISED"'
    )
    params = {"where": where, "order": "Date DESC", "pageSize": "1"}
    pages = [place.ok("GET", "/Invoices", params=params | {"page": page}) for page in "12"]
    assert [[third], [second]] == [
        [one["InvoiceNumber"] for one in page["Invoices"]] for page in pages
    ]
    assert {"page": 2, "pageSize": 1, "pageCount": 2, "itemCount": 2} == pages[1]["pagination"]


def test_a_filter_that_cannot_be_read_is_refused(place: XeroPlace) -> None:
    """With the name of what went wrong."""
    answer = place.send("GET", "/Invoices", params={"where": 'Nonsense=="x"'})
    assert (400, "QueryParseException") == (answer.status_code, answer.json()["Type"])


def test_nothing_has_changed_since_tomorrow(place: XeroPlace) -> None:
    """If-Modified-Since is kept to."""
    three(place)
    headers = {"If-Modified-Since": "2099-01-01T00:00:00"}
    assert [] == place.ok("GET", "/Invoices", headers=headers, params={"page": "1"})["Invoices"]


def test_a_key_gives_the_first_reply_again(place: XeroPlace) -> None:
    """The same document, not a second one; with another request the key is refused."""
    number = place.number()
    headers = {"Idempotency-Key": f"key-{number}"}
    body = place.invoice(number)
    first, second = (
        place.one("PUT", "/Invoices", json=body, headers=headers)["InvoiceID"] for _ in "12"
    )
    assert first == second
    other = place.send("PUT", "/Invoices", json=place.invoice(place.number()), headers=headers)
    assert 400 == other.status_code
    assert f"Idempotency Key: key-{number} is used with a different request" in other.text


def test_a_refusal_is_kept_under_its_key_too(place: XeroPlace) -> None:
    """Sending it again does not look at the rules again."""
    number = place.number()
    headers = {"Idempotency-Key": f"key-{number}"}
    body = place.invoice(number, LineItems=[])
    first, second = (place.send("PUT", "/Invoices", json=body, headers=headers) for _ in range(2))
    assert (400, 400) == (first.status_code, second.status_code)
    assert first.json()["Elements"] == second.json()["Elements"]


def test_a_strange_token_is_told_apart(place: XeroPlace) -> None:
    """401 with the problem's form and the challenge's header."""
    answer = place.send("GET", "/Organisation", headers={"Authorization": "Bearer nonsense"})
    assert (401, "Unauthorized", "AuthenticationUnsuccessful") == (
        answer.status_code,
        answer.json()["Title"],
        answer.json()["Detail"],
    )
    assert "www-authenticate" in answer.headers


def test_what_is_not_there_is_404(place: XeroPlace) -> None:
    """A number nobody used."""
    assert 404 == place.send("GET", f"/Invoices/{place.number()}").status_code


def test_every_reply_says_what_is_left_of_the_limits(place: XeroPlace) -> None:
    """Of the minute, of the day, and of the app's minute."""
    headers = place.send("GET", "/Organisation").headers
    for name in ("x-minlimit-remaining", "x-daylimit-remaining", "x-appminlimit-remaining"):
        assert headers[name].isdigit(), name
