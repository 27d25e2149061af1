"""The pages a person looks at: consent, and the ledger of each organisation. Everything is escaped."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from daybook.sandbox.http import Request
    from daybook.sandbox.identity import App
    from daybook.sandbox.simulation import Simulation

_pages = Environment(
    loader=PackageLoader("daybook.sandbox"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: object) -> Reply:
    """Render a template as an HTML reply."""
    return Reply(
        200, _pages.get_template(template).render(**values).encode(), "text/html; charset=utf-8"
    )


def consent_page(world: Simulation, app: App, fields: dict[str, str]) -> Reply:
    """Return the page that asks a user to connect organisations to an app."""
    users = list(world.identity.state.users.values())
    return render(
        "consent.html",
        app=app,
        fields=fields,
        users=users,
        owner_id=world.owner_id,
        scopes=fields["scope"].split(),
        organisations=[books.organisation for books in world.organisations.values()],
    )


def style() -> Reply:
    """Return the style sheet."""
    return Reply(
        200, files("daybook.sandbox").joinpath("templates/style.css").read_bytes(), "text/css"
    )


def answer(world: Simulation, request: Request) -> Reply:
    """Answer a ledger page."""
    return render("home.html", organisations=[b.organisation for b in world.organisations.values()])
