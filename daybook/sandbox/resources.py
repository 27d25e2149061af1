"""All API routes in one table."""

from __future__ import annotations

from daybook.sandbox import (
    accounts,
    attachments,
    bank_transactions,
    batch_payments,
    contacts,
    credit_notes,
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
        credit_notes,
        payments,
        batch_payments,
        bank_transactions,
        attachments,
        history,
    )
    for route in resource.ROUTES
)
