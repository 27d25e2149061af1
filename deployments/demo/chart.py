"""The demo's organisation: what a bookkeeper would have set up in Xero, and the mapping to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from deployments.demo.complete_journey import NO_TAX_CODE, TAX_CODE, categories, tenders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.sales.store import Store

ORGANISATION: Final = "Journey Grocers"
TRACKING_CATEGORY: Final = "Store"
_TAX_TYPE: Final = "TAX001"
_FIRST_REVENUE_CODE: Final = 210
_FIRST_TENDER_CODE: Final = 891


def organisation(stores: Sequence[Store]) -> dict[str, Any]:
    """The body that makes the organisation in the sandbox: chart, tax rate, tracking options."""
    revenue = [
        {"code": code, "name": f"Sales - {name}", "type": "REVENUE", "tax_type": "NONE"}
        for name, code in _revenue_codes().items()
    ]
    clearing = [
        {
            "code": code,
            "name": f"Tills - {name}",
            "type": "CURRENT",
            "tax_type": "NONE",
            "enable_payments_to_account": True,
        }
        for name, code in _tender_codes().items()
    ]
    return {
        "name": ORGANISATION,
        "country": "",
        "currency": "USD",
        "timezone": "EASTERNSTANDARDTIME",
        "accounts": [*revenue, *clearing],
        "tax_rates": [
            {
                "tax_type": _TAX_TYPE,
                "name": "State sales tax",
                "tax_components": [{"Name": "State sales tax", "Rate": "6"}],
                "can_apply_to_revenue": True,
            }
        ],
        "tracking_categories": [
            {"name": TRACKING_CATEGORY, "options": [store.name for store in stores]}
        ],
    }


def mapping() -> str:
    """The mapping file that finance would keep under version control."""
    return "\n".join(
        [
            f'organisation = "{ORGANISATION}"',
            "effective_date = 2017-01-01",
            'contact = "Daily sales"',
            "",
            "[tracking]",
            f'category = "{TRACKING_CATEGORY}"',
            "",
            "[categories]",
            *(f'"{name}" = "{code}"' for name, code in _revenue_codes().items()),
            "",
            "[taxes]",
            f'{TAX_CODE} = "{_TAX_TYPE}"',
            f'{NO_TAX_CODE} = "NONE"',
            "",
            "[tenders]",
            *(f'"{name}" = "{code}"' for name, code in _tender_codes().items()),
            "",
        ]
    )


def stores_file(stores: Sequence[Store]) -> str:
    """The stores file that the chain would keep beside it."""
    return "\n".join(
        f'[[store]]\nstore_id = "{one.store_id}"\nname = "{one.name}"\n'
        f'time_zone = "{one.time_zone}"\ncurrency = "{one.currency}"\n'
        for one in stores
    )


def _revenue_codes() -> dict[str, str]:
    return {name: str(_FIRST_REVENUE_CODE + i) for i, name in enumerate(sorted(categories()))}


def _tender_codes() -> dict[str, str]:
    return {name: str(_FIRST_TENDER_CODE + i) for i, name in enumerate(sorted(tenders()))}
