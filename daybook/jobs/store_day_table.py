"""The table people look at after a run: one row per store-day, and what is wrong in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.money import amount_from_minor
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daybook.jobs.preview import Preview
    from daybook.jobs.reconcile import ReconciledLine

# Told apart from the others: Xero holds the documents, but the figures are not the same everywhere.
DIFFERENT = "different"
# Posted, but the organisation did not answer when it was to be read back.
NOT_READ = "not_read_back"
_LINKS_MAX = 500


@dataclass(frozen=True, slots=True)
class Totals:
    """The table's last row, for one currency; minor units."""

    currency: str
    store_day_count: int
    receipt_count: int
    receipts_minor: int
    documents_minor: int
    xero_minor: int
    tender_count: int

    @property
    def difference_minor(self) -> int:
        """What Xero holds more than the receipts say."""
        return self.xero_minor - self.receipts_minor


def status(line: ReconciledLine) -> str:
    """The store-day's state, or `different` where it is posted and the figures disagree."""
    if line.line.state == "posted" and not line.is_read:
        return NOT_READ
    if line.line.state == "posted" and not line.is_equal:
        return DIFFERENT
    return line.line.state


def totals(lines: Sequence[ReconciledLine]) -> list[Totals]:
    """Sums per currency, of what was read back."""
    lines = [line for line in lines if line.is_read]
    currencies = sorted({line.line.currency for line in lines})
    return [
        Totals(
            currency,
            store_day_count=len(of_currency),
            receipt_count=sum(one.line.receipt_count for one in of_currency),
            receipts_minor=sum(one.line.receipts_minor for one in of_currency),
            documents_minor=sum(one.line.documents_minor for one in of_currency),
            xero_minor=sum(one.xero_minor for one in of_currency),
            tender_count=sum(one.line.tender_count for one in of_currency),
        )
        for currency in currencies
        if (of_currency := [line for line in lines if line.line.currency == currency])
    ]


def table(lines: Sequence[ReconciledLine]) -> list[dict[str, str | int]]:
    """One row per store-day, amounts as text with the currency's decimals."""

    def amount(line: ReconciledLine, minor: int) -> str:
        return f"{amount_from_minor(minor, line.line.currency):,}"

    return [
        {
            "date": one.line.store_day.business_date.isoformat(),
            "store": one.line.store_day.store_id,
            "receipts": one.line.receipt_count,
            "tenders": one.line.tender_count,
            "currency": one.line.currency,
            "pos": amount(one, one.line.receipts_minor),
            "ledger": amount(one, one.line.documents_minor),
            "xero": amount(one, one.xero_minor) if one.is_read else "",
            "difference": amount(one, one.difference_minor) if one.is_read else "",
            "invoice": " ".join(one.line.numbers),
            "status": status(one),
            "why": " ".join(hold.sentence for hold in one.line.holds),
        }
        for one in lines
    ]


def problems(lines: Sequence[ReconciledLine]) -> list[str]:
    """One sentence for every store-day that is not in Xero as it should be."""
    sentences: list[str] = []
    for one in lines:
        day = one.line.store_day
        where = f"{day.business_date} store {day.store_id}"
        sentences.extend(f"{where}: {hold.sentence}" for hold in one.line.holds)
        if one.line.holds or one.line.state == "no_sales":
            continue
        if one.line.state != "posted":
            sentences.append(f"{where}: {one.line.state}, not posted yet. Run it again.")
        elif one.is_read and not one.is_equal:
            sentences.append(
                f"{where}: the receipts come to {_amount(one, one.line.receipts_minor)}, the ledger"
                f" to {_amount(one, one.line.documents_minor)}, Xero to"
                f" {_amount(one, one.xero_minor)} with {_amount(one, one.due_minor)} still due."
            )
    return sentences


def summary(lines: Sequence[ReconciledLine]) -> str:
    """A few lines of markdown: how many store-days are where, and whether books equal tills."""
    states = Counter(map(status, lines))
    told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())
    text = [f"**{counted(len(lines), 'store-day')}**: {told or 'none'}.", ""]
    for one in totals(lines):
        pos, xero = (
            amount_from_minor(minor, one.currency) for minor in (one.receipts_minor, one.xero_minor)
        )
        verdict = "equal to the cent" if pos == xero else f"**{xero - pos:,} apart**"
        text.append(f"- {one.currency}: receipts {pos:,}, Xero {xero:,}: {verdict}.")
    return "\n".join(text)


def links(lines: Sequence[ReconciledLine], url: Callable[[str], str]) -> str:
    """A markdown list of the documents, each a link to its page in Xero."""
    rows = [
        f"- {one.line.store_day.business_date} store {one.line.store_day.store_id}: "
        f"[{number}]({url(id_xero)})"
        for one in lines
        for number, id_xero in zip(one.line.numbers, one.line.ids_xero, strict=False)
    ]
    more = len(rows) - _LINKS_MAX
    return "\n".join([*rows[:_LINKS_MAX], *([f"- and {more} more"] if more > 0 else [])])


def preview_table(previews: Sequence[Preview]) -> list[dict[str, str | int]]:
    """One row per store-day and currency of what a run would do, days without sales left out.

    A day without sales that something is wrong with has a row without figures.
    """
    return [
        {
            "date": one.status.store_day.business_date.isoformat(),
            "store": one.status.store_day.store_id,
            "receipts": total.receipt_count if total else 0,
            "currency": total.currency if total else "",
            "total": f"{amount_from_minor(total.total_minor, total.currency):,}" if total else "",
            "documents": len(one.documents),
            "there already": one.known_count,
            "status": one.status.state,
            "why": " ".join(hold.sentence for hold in one.status.holds),
        }
        for one in previews
        for total in one.totals or ([None] if one.status.holds else [])
    ]


def _amount(line: ReconciledLine, minor: int) -> str:
    return f"{amount_from_minor(minor, line.line.currency):,} {line.line.currency}"
