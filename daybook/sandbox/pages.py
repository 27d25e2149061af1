"""The pages a person looks at: consent, and the ledger of each organisation.

Everything is escaped by Jinja; attachments are served so that a browser neither guesses their
type nor runs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from daybook.sandbox import ledger
from daybook.sandbox.http import text_reply
from daybook.sandbox.payments import paid_document
from daybook.sandbox.records import ZERO
from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from daybook.sandbox.books import Books, Table
    from daybook.sandbox.http import Request
    from daybook.sandbox.identity import App
    from daybook.sandbox.records import Document, Line
    from daybook.sandbox.simulation import Simulation

PAGE_SIZE = 100
LATEST_CALLS = 15
HTML = "text/html; charset=utf-8"
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/bmp"})
SHOWN_INLINE = IMAGES | {"application/pdf", "text/plain"}
SECTIONS = (
    ("", "Balances"),
    ("invoices", "Invoices"),
    ("credit-notes", "Credit notes"),
    ("payments", "Payments"),
    ("spend-money", "Spend money"),
)
TABLES = {
    "invoices": ("invoices", "Invoices"),
    "credit-notes": ("credit_notes", "CreditNotes"),
    "spend-money": ("bank_transactions", "BankTransactions"),
}


@dataclass(frozen=True, slots=True)
class PageOf:
    """Which part of a long list is shown, newest first."""

    number: int
    total: int

    @property
    def count(self) -> int:
        """Count the pages, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))

    def link(self, number: int) -> str:
        """Return the query of another page."""
        return urlencode({"page": number})

    def cut(self, newest_first: Sequence[Any]) -> list[Any]:
        """Return this page's part."""
        start = (self.number - 1) * PAGE_SIZE
        return list(islice(newest_first, start, start + PAGE_SIZE))


def money(amount: Decimal) -> str:
    """Return an amount with thousands separated and two places."""
    return f"{amount:,.2f}"


_pages = Environment(
    loader=PackageLoader("daybook.sandbox"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters["decoded"] = unquote_plus  # a query as its sender wrote it
_pages.globals.update(
    money=money, paid_document=paid_document, sections=SECTIONS, images=IMAGES, organisation=None
)


def render(template: str, **values: object) -> Reply:
    """Render a template as an HTML reply."""
    return Reply(200, _pages.get_template(template).render(**values).encode(), HTML)


def style() -> Reply:
    """Return the style sheet."""
    content = files("daybook.sandbox").joinpath("templates/style.css").read_bytes()
    return Reply(200, content, "text/css; charset=utf-8")


def consent_page(world: Simulation, app: App, fields: dict[str, str]) -> Reply:
    """Return the page that asks a user to connect organisations to an app."""
    return render(
        "consent.html",
        app=app,
        fields=fields,
        users=list(world.identity.state.users.values()),
        owner_id=world.owner_id,
        scopes=fields["scope"].split(),
        organisations=[books.organisation for books in world.organisations.values()],
    )


def answer(world: Simulation, request: Request) -> Reply:
    """Answer a ledger page; what does not exist is 404."""
    parts = [part for part in request.path.split("/") if part]
    number = request.query().get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdigit() else 1
    if not parts:
        return _home(world)
    if parts == ["calls"]:
        return _calls(world, page)
    if parts[:2] == ["books", "documents"]:
        return _any_document(world, parts[-1]) or text_reply("There is no such page.", 404)
    books = world.organisations.get(parts[1]) if len(parts) > 1 else None
    if books is None:
        return text_reply("There is no such page.", 404)
    return _books_page(books, parts[2:], page) or text_reply("There is no such page.", 404)


def _books_page(books: Books, parts: list[str], page: int) -> Reply | None:
    """Answer a page of one organisation."""
    if not parts:
        return _balances(books)
    section = parts[0]
    if section == "payments" and len(parts) == 1:
        rows, shown = _newest(books.payments, page)
        return _organisation_page("payments.html", books, section, payments=rows, page=shown)
    if section == "attachments":
        return _attachment(books, parts[-1])
    if section in TABLES:
        table: Table[Document] = books.table(TABLES[section][0])
        if len(parts) == 1:
            documents, shown = _newest(table, page)
            title = dict(SECTIONS)[section]
            return _organisation_page(
                "documents.html", books, section, rows=documents, page=shown, title=title
            )
        row = table.get(parts[1])
        return None if row is None else _document(books, section, row)
    return None


def _any_document(world: Simulation, document_id: str) -> Reply | None:
    """Answer the page of a document in whichever organisation it is: its id is all a link has."""
    for books in world.organisations.values():
        for section, (name, *_) in TABLES.items():
            row = books.table(name).get(document_id)
            if row is not None:
                return _document(books, section, row)
    return None


def _organisation_page(template: str, books: Books, here: str, **values: object) -> Reply:
    return render(template, books=books, organisation=books.organisation, here=here, **values)


def _newest(table: Table[Any], page: int) -> tuple[list[Any], PageOf]:
    """Return one page of a table, newest first."""
    shown = PageOf(page, len(table))
    return shown.cut(list(reversed(table.rows.values()))), shown


def _home(world: Simulation) -> Reply:
    rows = [
        {
            "organisation": books.organisation,
            "invoices": len(books.invoices),
            "credit_notes": len(books.credit_notes),
            "payments": len(books.payments),
            "bank_transactions": len(books.bank_transactions),
        }
        for books in world.organisations.values()
    ]
    calls = list(islice(reversed(world.log), LATEST_CALLS))
    return render(
        "home.html", rows=rows, calls=calls, names=_names(world), now=world.clock.now(), here=""
    )


def _calls(world: Simulation, page: int) -> Reply:
    shown = PageOf(page, len(world.log))
    calls = shown.cut(list(reversed(world.log)))
    return render("calls.html", calls=calls, names=_names(world), page=shown, here="calls")


def _names(world: Simulation) -> dict[str, str]:
    return {key: books.organisation.name for key, books in world.organisations.items()}


def _balances(books: Books) -> Reply:
    totals = ledger.balances(books)
    rows = [(account, totals.get(account.id, ZERO)) for account in books.accounts]
    rows.sort(key=lambda row: row[0].code)
    debit = sum((balance for _, balance in rows if balance > 0), ZERO)
    credit = -sum((balance for _, balance in rows if balance < 0), ZERO)
    return _organisation_page(
        "accounts.html", books, "", rows=rows, debit=debit, credit=credit
    )  # fmt: skip


def _document(books: Books, section: str, row: Document) -> Reply:
    """Return one document with everything that hangs on it."""
    payments = [books.payments.rows[payment_id] for payment_id in row.payment_ids]
    allocations = [books.allocations.rows[key] for key in row.allocation_ids]
    return _organisation_page(
        "document.html",
        books,
        section,
        row=row,
        payments=payments,
        allocations=allocations,
        attachments=books.attachments.find("parent", (TABLES[section][1], row.id)),
        history=books.history.find("parent", row.id),
        tracking=_tracking_of(books),
        safe_url=row.url.startswith(("http://", "https://")),
    )


def _tracking_of(books: Books) -> Callable[[Line], str]:
    """Return how a line's tracking reads."""

    def tracking(line: Line) -> str:
        names = []
        for category_id, option_id in line.tracking:
            category = books.tracking_categories.rows[category_id]
            option = books.option_by_id(category, option_id)
            names.append(f"{category.name}: {option.name if option else ''}")
        return ", ".join(names)

    return tracking


def _attachment(books: Books, attachment_id: str) -> Reply | None:
    """Return a file so that a browser cannot be tricked into running it."""
    row = books.attachments.get(attachment_id)
    if row is None:
        return None
    kind = "inline" if row.mime_type in SHOWN_INLINE else "attachment"
    headers = {
        "content-disposition": f"{kind}; filename*=UTF-8''{quote(row.file_name)}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'; img-src 'self'; style-src 'self'",
    }
    mime_type = row.mime_type if row.mime_type in SHOWN_INLINE else "application/octet-stream"
    return Reply(200, row.content, mime_type, headers)
