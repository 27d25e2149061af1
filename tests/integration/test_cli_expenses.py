"""`daybook expenses`: the review of expenses at a terminal, against the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from expense_place import MAPPING, connected_expenses
from sqlalchemy import text
from typer.testing import CliRunner

from daybook.cli_expenses import expenses_app
from daybook.errors import InputError
from daybook.expenses.expense import Override
from daybook.ledger.expenses import read_expenses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expense_place import ExpensePlace


@pytest.fixture
def place(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExpensePlace]:
    """Three expenses in a CSV file and a receipt; the command finds all by its environment."""
    with connected_expenses(database_url) as connected:
        app = connected.access.app
        receipts = tmp_path / "receipts"
        receipts.mkdir()
        (receipts / "E-1.txt").write_text("paid 12.50 to Grab")
        today = connected.clock.now().date()
        rows = [
            f"E-1,a1,{today},12.50,SGD,Grab,Transport",
            f"E-2,a1,{today},99.00,SGD,Fleurop,Gifts",
            f"E-3,a1,{today},20.50,SGD,Ya Kun,Transport",
        ]
        file = tmp_path / "expenses.csv"
        header = "id,account,date,amount,currency,merchant,category"
        file.write_text("\n".join([header, *rows]))
        mapping = tmp_path / "mapping.toml"
        mapping.write_text(MAPPING.replace('"aspire:acc-sgd"', '"files:a1"'))
        for name, value in {
            "HOME": str(tmp_path / "home"),
            "DATABASE_URL": database_url,
            "SECRET_KEY": connected.access.connections.key,
            "XERO_API_URL": app.api_url,
            "XERO_IDENTITY_URL": app.identity_url,
            "XERO_LOGIN_URL": app.login_url,
            "XERO_CLIENT_ID": app.client_id,
            "XERO_CLIENT_SECRET": app.client_secret,
            "SPEND_URL": str(file),
            "RECEIPTS_URL": str(receipts),
        }.items():
            monkeypatch.setenv(f"DAYBOOK_{name}", value)
        run("mapping", str(mapping))
        run("fetch")
        yield connected


def run(*words: str, exit_code: int = 0) -> str:
    """Run the command and return what it printed."""
    answer = CliRunner().invoke(expenses_app, list(words), catch_exceptions=False)
    assert exit_code == answer.exit_code, answer.output
    return answer.output


def rows() -> dict[str, dict[str, Any]]:
    """`list --json` by expense."""
    found: list[dict[str, Any]] = json.loads(run("list", "--json"))
    return {row["expense"]: row for row in found}


def test_review_from_fetch_to_synced(place: ExpensePlace, tmp_path: Path) -> None:
    """Sync, set, split, exclude, by hand; each state as finance sees it."""
    run("exclude", "files-E-3", "--why", "private")
    output = run("sync")
    assert "1 expense ready, 1 held" in output
    assert "category 'Gifts'" in output
    states = {key: row["state"] for key, row in rows().items()}
    assert {
        "files-E-1": "synced",
        "files-E-2": "pending: needs mapping",
        "files-E-3": "excluded",
    } == states
    bulk = tmp_path / "decisions.csv"
    bulk.write_text("expense,account,tax_type\nfiles-E-2,420,INPUT2\n")
    assert "1 expense changed" in run("set", "--file", str(bulk))
    assert "pending: ready" == rows()["files-E-2"]["state"]
    run("reopen", "files-E-3")
    run("split", "files-E-3", "--line", "12.00:Transport", "--line", "8.50:Software:licence")
    run("sync", "--dry-run")
    assert 1 == len(place.bank_transactions())
    run("sync")
    assert {"12.5", "99.0", "20.5"} == {str(float(r["Total"])) for r in place.bank_transactions()}
    assert 2 == max(len(row["LineItems"]) for row in place.bank_transactions())


def test_show_tells_what_happened_and_who_did_it(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts, receipts and history of one expense."""
    monkeypatch.setenv("LOGNAME", "mei")
    run("by-hand", "files-E-3", "--why", "journal 7")
    whole = json.loads(run("show", "files-E-3", "--json"))
    assert ("by hand", "mei", "by_hand") == (
        whole["state"],
        whole["history"][-1]["who"],
        whole["history"][-1]["what"],
    )
    assert [] == place.bank_transactions()


def test_history_is_told_in_words(place: ExpensePlace) -> None:
    """A person reads from what to what; a script gets what is stored."""
    run("set", "files-E-3", "--account", "453", "--note", "beans")
    run("split", "files-E-3", "--line", "12.00:Transport", "--line", "8.50:Software")
    shown = " ".join(run("show", "files-E-3").replace("│", " ").split())
    assert "account nothing -> 453; note nothing -> beans" in shown
    assert "split whole -> 12.00 SGD Transport + 8.50 SGD Software" in shown
    assert '{"' not in shown
    last = json.loads(run("show", "files-E-3", "--json"))["history"][-2]
    assert ("set", {}) == (last["what"], last["detail"]["from"])
    assert [] == place.bank_transactions()


def test_receipts_are_listed_and_skipped(place: ExpensePlace) -> None:
    """What is waiting is shown; a person may say that it is not needed."""
    assert "pending" in run("attachments", "files-E-1")
    run("attachments", "files-E-1", "--skip")
    assert "none" in run("attachments", "--open")
    run("sync", "files-E-1")
    assert "synced: attachment missing" == rows()["files-E-1"]["state"]
    assert 1 == len(place.bank_transactions())


def test_beginning_of_an_id_is_enough_if_it_is_one_expenses(place: ExpensePlace) -> None:
    """What the list cuts off need not be typed; what fits several is refused."""
    run("exclude", "files-E-3…")
    assert "excluded" == rows()["files-E-3"]["state"]
    with pytest.raises(InputError, match="Several expenses begin with files-E"):
        run("exclude", "files-E")
    with pytest.raises(InputError, match="There is no expense nothing"):
        run("show", "nothing")
    assert [] == place.bank_transactions()


def test_tables_fit_a_terminal(place: ExpensePlace) -> None:
    """100 columns are enough."""
    assert [] == place.bank_transactions()
    output = run("list")
    assert max(len(line) for line in output.splitlines()) <= 100
    assert "3 expenses" in output


def test_nothing_pending_is_said(place: ExpensePlace) -> None:
    """A sync without work says so, and how to get some."""
    run("exclude", "files-E-1", "files-E-2", "files-E-3")
    assert "no expense is pending" in run("sync")
    assert [] == place.bank_transactions()


def test_what_is_held_is_known_after_fetching(place: ExpensePlace) -> None:
    """The list says what stands in the way before anybody syncs."""
    assert "pending: needs mapping" == rows()["files-E-2"]["state"]
    output = run("fetch")
    assert "files-E-2: The expense mapping does not say where the category 'Gifts' goes" in output
    assert [] == place.bank_transactions()


def test_accounts_are_listed_with_their_links(place: ExpensePlace) -> None:
    """What a mapping has to name, and what it linked."""
    found = json.loads(run("accounts", "--json"))
    links = {row["account"]: row["bank account"] for row in found}
    assert {"aspire:acc-usd": "093", "files:a1": "092"} == links
    assert [] == place.bank_transactions()


def test_split_that_does_not_add_up_is_refused_at_once(place: ExpensePlace) -> None:
    """Both sums are said, and nothing is changed."""
    with pytest.raises(InputError, match=r"come to 1.00 SGD and the expense to 20.50"):
        run("split", "files-E-3", "--line", "1.00:Transport")
    said = run("split", "files-E-3", "--line", "12.00", "--line", "8.50:Software")
    assert "has 2 lines: 12.00 SGD as the whole expense, 8.50 SGD to category Software." in said
    assert "files-E-3 is whole again." in run("split", "files-E-3")
    assert [] == place.bank_transactions()


def test_reconciled_expense_is_corrected_by_command(place: ExpensePlace) -> None:
    """The sync says why it cannot be updated and names the command, which posts the difference."""
    run("sync", "files-E-1")
    [found] = place.bank_transactions()
    tenant = place.organisation.tenant_id_xero
    path = f"/_sandbox/organisations/{tenant}/bank-transactions/{found['BankTransactionID']}"
    place.control.post(f"{path}/reconcile").raise_for_status()
    run("set", "files-E-1", "--category", "Software")
    assert "daybook expenses correct files-E-1" in run("sync", "files-E-1", exit_code=1)
    assert "nothing was posted" in run("correct", "files-E-1", "--dry-run")
    assert 1 == len(place.bank_transactions())
    run("correct", "files-E-1")
    assert "No correcting entry is needed" in run("correct", "files-E-1", exit_code=1)
    references = sorted(row["Reference"] for row in place.bank_transactions())
    assert [f"DB-EXP-files-E-1{ending}" for ending in ("", "-C1", "-C2")] == references
    assert "synced" == rows()["files-E-1"]["state"]


def test_a_dry_run_says_what_an_update_would_change(place: ExpensePlace) -> None:
    """Both versions are named, and Xero, the ledger and the history stay as they are."""
    run("sync", "files-E-1")
    run("set", "files-E-1", "--category", "Software", "--note", "licence")
    before = run("show", "files-E-1", "--json")
    said = run("sync", "files-E-1", "--dry-run")
    assert "1 expense would be updated in Xero, 0 need no update, 0 cannot be updated" in said
    assert "files-E-1 would be updated in Xero: account 449 with tax type INPUT2" in said
    assert "Region North 12.50 -> 0.00, account 463 with tax type NONE 0.00 -> 12.50, des" in said
    assert before == run("show", "files-E-1", "--json")
    assert "449" == place.bank_transactions()[0]["LineItems"][0]["AccountCode"]
    run("sync", "files-E-1")
    assert "463" == place.bank_transactions()[0]["LineItems"][0]["AccountCode"]
    assert "0 expenses would be updated" in run("sync", "files-E-1", "--dry-run")


def test_a_dry_run_says_why_an_update_cannot_be(place: ExpensePlace) -> None:
    """As the sync would: here somebody reconciled it."""
    run("sync", "files-E-1")
    [found] = place.bank_transactions()
    tenant = place.organisation.tenant_id_xero
    path = f"/_sandbox/organisations/{tenant}/bank-transactions/{found['BankTransactionID']}"
    place.control.post(f"{path}/reconcile").raise_for_status()
    run("set", "files-E-1", "--category", "Software")
    said = run("sync", "files-E-1", "--dry-run")
    assert "0 expenses would be updated in Xero, 0 need no update, 1 cannot be updated" in said
    assert "It is reconciled" in said
    assert "daybook expenses correct files-E-1" in said
    assert "synced" == rows()["files-E-1"]["state"]


@pytest.mark.parametrize("words", [("correct",), ("attachments", "--retry"), ("sync",)])
def test_expense_of_an_account_that_is_not_linked_is_named(
    place: ExpensePlace, words: tuple[str, ...]
) -> None:
    """Nothing can be done for it: the sentence says what is missing, and the command fails."""
    with place.engine.begin() as connection:
        connection.execute(text("DELETE FROM spend_accounts"))
    said = run(*words, "files-E-1", exit_code=1)
    assert "files-E-1: The account files:a1 is linked to no bank account in Xero" in said


def test_decisions_are_taken_back_by_command(place: ExpensePlace, tmp_path: Path) -> None:
    """No tracking at all, then the category's again; one expense named twice is refused."""
    with place.engine.connect() as connection:

        def tracking() -> object:
            return read_expenses(connection, ["files-E-1"])[0].override.tracking

        run("set", "files-E-1", "--tracking", "none", "--account", "453")
        assert {} == tracking()
        connection.rollback()
        run("set", "files-E-1", "--clear", "tracking", "--clear", "account")
        assert None is tracking()
    run("sync", "files-E-1")
    [line] = place.bank_transactions()[0]["LineItems"]
    assert ("449", "North") == (line["AccountCode"], line["Tracking"][0]["Option"])
    bulk = tmp_path / "decisions.csv"
    bulk.write_text("expense,account\nfiles-E-2,420\nfiles-E-2…,453\n")
    with pytest.raises(InputError, match="named twice"):
        run("set", "--file", str(bulk))


def test_what_the_chart_does_not_have_is_refused_when_it_is_set(
    place: ExpensePlace, tmp_path: Path
) -> None:
    """Whether the expense is pending or synced, named or in a file; nothing is changed."""
    run("sync", "files-E-1")
    bulk = tmp_path / "decisions.csv"
    bulk.write_text("expense,account,tax_type\nfiles-E-2,420,\nfiles-E-3,420,INPUT9\n")
    for words, said in (
        (("files-E-1", "--account", "999"), "files-E-1: There is no account 999 in Xero."),
        (("files-E-3", "--account", "092"), "Account 092 Aspire SGD cannot stand on a line"),
        (("files-E-3", "--tracking", "Region=Nowhere"), "option 'Nowhere' of 'Region' is not in"),
        (("--file", str(bulk)), "files-E-3: INPUT9 is not a tax type .* Nothing was changed"),
    ):
        with pytest.raises(InputError, match=said):
            run("set", *words)
    with place.engine.connect() as connection:
        assert {Override()} == {one.override for one in read_expenses(connection)}
    run("set", "files-E-1", "--account", "453")


def test_what_cannot_be_checked_yet_is_said(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision is kept, and the sync checks it: Xero does not answer, or nothing is linked."""
    run("sync", "files-E-1")
    with monkeypatch.context() as offline:
        offline.setenv("DAYBOOK_XERO_API_URL", "http://127.0.0.1:1")
        said = run("set", "files-E-1", "--account", "999")
    assert "The chart in Xero is looked at when it is synced, not now: " in said
    with place.engine.begin() as connection:
        connection.execute(text("DELETE FROM spend_accounts"))
    said = run("set", "files-E-2", "files-E-3", "--account", "999")
    assert "files-E-2 and 1 more: its account is linked in no organisation" in said
    with place.engine.connect() as connection:
        assert {"999"} == {one.override.account for one in read_expenses(connection)}


def test_expense_removed_in_xero_is_reopened_by_command(place: ExpensePlace) -> None:
    """Until it is removed there, the command says what to do."""
    run("sync", "files-E-1")
    with pytest.raises(InputError, match="Remove that there first"):
        run("exclude", "files-E-1")
    [there] = place.bank_transactions()
    body = {"BankTransactionID": there["BankTransactionID"], "Status": "DELETED"}
    place.client.write("POST", "/BankTransactions", body, idempotency_key="removed")
    assert "1 expense marked excluded" in run("exclude", "files-E-1", "--why", "private")
    assert "excluded" == rows()["files-E-1"]["state"]
    run("reopen", "files-E-1")
    run("sync", "files-E-1")
    assert ["AUTHORISED", "DELETED"] == sorted(one["Status"] for one in place.bank_transactions())


def test_contradictions_are_refused(place: ExpensePlace, tmp_path: Path) -> None:
    """Nothing that was asked for is left out silently."""
    bulk = tmp_path / "decisions.csv"
    bulk.write_text("expense,account\nfiles-E-2,420\n")
    for words, said in (
        (("set", "files-E-1", "--account", "453", "--file", str(bulk)), "not both"),
        (("attachments", "files-E-1", "--retry", "--skip"), "not both"),
        (("list", "--state", "nonsense"), "No state has the words 'nonsense'; there are pending"),
    ):
        with pytest.raises(InputError, match=said):
            run(*words)
    assert 2 == CliRunner().invoke(expenses_app, ["fetch", "--days", "0"]).exit_code
    assert [] == place.bank_transactions()


def test_receipt_of_a_killed_run_is_skipped(place: ExpensePlace) -> None:
    """What was on its way when the run died can be left out."""
    run("sync", "files-E-1")
    with place.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE expense_attachments SET state = 'uploading'")
    run("attachments", "files-E-1", "--skip")
    assert "none" in run("attachments", "--open")
