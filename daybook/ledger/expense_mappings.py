"""Expense mappings in the ledger, and the links of accounts that the newest of them makes."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import text

from daybook.errors import InputError
from daybook.expenses.eligibility import LinkedAccount
from daybook.posting.expense_mapping import (
    ExpenseMapping,
    already_linked,
    content_hash,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class DatedExpenseMappings:
    """One organisation's expense mappings, in the order in which they take precedence."""

    versions: Sequence[ExpenseMapping]

    def on(self, spent_date: dt.date) -> ExpenseMapping | None:
        """The mapping in force on that date: the latest begun; of two begun together, the newer."""
        begun = [m for m in self.versions if m.effective_date <= spent_date]
        return begun[-1] if begun else None


def write_expense_mapping(
    connection: Connection,
    organisation_id: int,
    mapping: ExpenseMapping,
    *,
    loaded_by: str,
    now_at: dt.datetime,
) -> bool:
    """Keep this version; False when the very same one is there already.

    Its accounts are linked, unless a mapping with a later date is there, whose links are in force.

    Raises `InputError` when a bank account stands for another account already, or an account is
    linked in another organisation.
    """
    values = {
        "organisation": organisation_id,
        "date": mapping.effective_date,
        "content": encode(mapping).decode(),
        "hash": content_hash(mapping),
        "now": now_at,
        "by": loaded_by,
    }
    is_new = connection.execute(_WRITE, values).first() is not None
    if connection.execute(_LATER, values).first() is not None:
        return is_new
    links = []
    for account, link in mapping.accounts.items():
        source, _, account_id = account.partition(":")
        links.append(
            {
                "source": source,
                "account_id_source": account_id,
                "bank_account": link.bank_account,
                "country": link.country,
                "start_date": link.start_date,
            }
        )
    rows = msgspec.json.encode(links).decode()
    scope = {"organisation": organisation_id, "rows": rows}
    for row in connection.execute(_CONFLICTS, scope):
        if row.organisation_id != organisation_id:
            raise InputError(
                f"The account {row.wanted} is linked in another organisation already. Take it out "
                "of that organisation's expense mapping first."
            )
        raise InputError(already_linked(row.bank_account, row.other, row.wanted))
    connection.execute(_UNLINK, scope)
    connection.execute(_LINK, {**scope, "now": now_at, "by": loaded_by})
    return is_new


def read_expense_mappings(connection: Connection) -> dict[int, DatedExpenseMappings]:
    """Every organisation's expense mappings, by its id in the ledger."""
    found: dict[int, list[ExpenseMapping]] = {}
    for row in connection.execute(_READ):
        found.setdefault(row.organisation_id, []).append(decode(row.content.encode()))
    return {key: DatedExpenseMappings(versions) for key, versions in found.items()}


def read_links(connection: Connection) -> dict[tuple[str, str], LinkedAccount]:
    """Every linked account, by source and the source's id of it."""
    rows = connection.execute(_READ_LINKS)
    return {(row.source, row.account_id_source): LinkedAccount(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's documented name


_WRITE: Final = text("""
    INSERT INTO expense_mappings
        (organisation_id, effective_date, content, content_hash, loaded_at, loaded_by)
    VALUES (:organisation, :date, CAST(:content AS jsonb), :hash, :now, :by)
    ON CONFLICT DO NOTHING RETURNING id
""")

_LATER: Final = text("""
    SELECT id FROM expense_mappings
    WHERE organisation_id = :organisation AND effective_date > :date LIMIT 1
""")

_READ: Final = text("""
    SELECT organisation_id, CAST(content AS text) AS content FROM expense_mappings
    ORDER BY effective_date, id
""")

_LINK_ROWS: Final = """jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
    source text, account_id_source text, bank_account text, country text, start_date date)"""

# A bank account of another account stays linked as long as expenses of that account are known:
# taking it over would put two accounts' payments into one bank account.
_CONFLICTS: Final = text(f"""
    SELECT a.organisation_id, a.bank_account, a.source || ':' || a.account_id_source AS other,
        r.source || ':' || r.account_id_source AS wanted
    FROM spend_accounts a JOIN {_LINK_ROWS}
      ON (a.organisation_id = :organisation AND a.bank_account = r.bank_account
          AND (a.source, a.account_id_source) <> (r.source, r.account_id_source)
          AND EXISTS (SELECT FROM expenses e WHERE (e.source, e.account_id_source)
              = (a.source, a.account_id_source)))
      OR (a.organisation_id <> :organisation
          AND (a.source, a.account_id_source) = (r.source, r.account_id_source))
    ORDER BY 3, 4
""")  # noqa: S608 - a constant of this module

_UNLINK: Final = text("""
    DELETE FROM spend_accounts WHERE organisation_id = :organisation
""")

_LINK: Final = text(f"""
    INSERT INTO spend_accounts (source, account_id_source, organisation_id, bank_account, country,
        start_date, linked_at, linked_by)
    SELECT source, account_id_source, :organisation, bank_account, country, start_date, :now, :by
    FROM {_LINK_ROWS}
""")  # noqa: S608 - a constant of this module

_READ_LINKS: Final = text("""
    SELECT source, account_id_source, bank_account, country, start_date FROM spend_accounts
""")
