"""The demo's second organisation: where the cards are booked, and the expense mapping to it."""

from __future__ import annotations

from typing import Any, Final

ORGANISATION: Final = "Journey Head Office"
BANK_ACCOUNT: Final = "092"
_SOURCE_ACCOUNT: Final = "aspire:acc-usd"
# Category of the card account: a code of the chart that every organisation starts with.
ACCOUNTS: Final = {
    "Delivery": "425",
    "Marketing": "400",
    "Meals & Entertainment": "420",
    "Office Supplies": "453",
    "Software": "463",
    "Transport": "449",
    "Travel": "493",
    "Utilities": "445",
}


def organisation() -> dict[str, Any]:
    """The body that makes the organisation in the sandbox."""
    return {
        "name": ORGANISATION,
        "country": "",
        "currency": "USD",
        "timezone": "EASTERNSTANDARDTIME",
        "accounts": [
            {"code": BANK_ACCOUNT, "name": "Aspire USD", "type": "BANK", "currency_code": "USD"}
        ],
    }


def mapping() -> str:
    """The expense mapping that finance would keep under version control."""
    lines = [
        f'organisation = "{ORGANISATION}"',
        "effective_date = 2017-01-01",
        'contact = "Card expenses"',
        "",
        f'[accounts."{_SOURCE_ACCOUNT}"]',
        f'bank_account = "{BANK_ACCOUNT}"',
        'country = "SG"',
        "start_date = 2017-01-01",
        "",
        "[categories]",
        *(
            f'"{category}" = {{ account = "{code}", tax_type = "NONE" }}'
            for category, code in ACCOUNTS.items()
        ),
        "",
        "[[merchants]]",
        'contains = "grab"',
        'contact = "Grab"',
        "",
    ]
    return "\n".join(lines)
