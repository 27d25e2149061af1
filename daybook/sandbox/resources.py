"""All API routes in one table."""

from __future__ import annotations

from daybook.sandbox import (
    accounts,
    contacts,
    currencies,
    history,
    invoices,
    organisation,
    payments,
    tax_rates,
    tracking_categories,
)
from daybook.sandbox.routing import RouteTable

TABLE = RouteTable(
    route
    for resource in (
        organisation,
        accounts,
        tax_rates,
        tracking_categories,
        currencies,
        contacts,
        invoices,
        payments,
        history,
    )
    for route in resource.ROUTES
)
