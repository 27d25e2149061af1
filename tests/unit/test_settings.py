"""Settings: defaults, one clear sentence for what is wrong, and no secret ever shown."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from daybook.errors import SettingError
from daybook.settings import (
    SPEND_SOURCES,
    inherited_variables,
    known_variables,
    load_demo_settings,
    load_settings,
    variables_of,
)
from daybook.spend import aspire, files

PASSWORD_URL = "postgresql://owner:swordfish@db.example.net:5432/daybook"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start every test without any setting, in an empty folder."""
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def refusal() -> str:
    """Load the settings, which must be refused, and return the sentence."""
    with pytest.raises(SettingError) as caught:
        load_settings()
    return str(caught.value)


def test_defaults_point_at_the_real_xero_and_an_embedded_database(tmp_path: Path) -> None:
    """Without any variable Daybook talks to Xero itself and runs its own PostgreSQL."""
    settings = load_settings()

    assert (settings.xero_api_url, settings.xero_identity_url, settings.xero_login_url) == (
        "https://api.xero.com",
        "https://identity.xero.com",
        "https://login.xero.com",
    )
    assert settings.is_embedded
    assert settings.home == tmp_path / ".daybook"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "DAYBOOK_XERO_API_URL",
            "localhost:4210",
            (
                "DAYBOOK_XERO_API_URL must be an http or https address such as "
                "https://api.xero.com; it is 'localhost:4210'."
            ),
        ),
        (
            "DAYBOOK_TRAILING_DAYS",
            "a week",
            "DAYBOOK_TRAILING_DAYS must be a number of days from 1 to 366; it is 'a week'.",
        ),
        (
            "DAYBOOK_EXTRACT_GROUP_SIZE",
            "0",
            "DAYBOOK_EXTRACT_GROUP_SIZE must be a number of stores from 1 to 1000; it is '0'.",
        ),
        (
            "DAYBOOK_INVOICE_PREFIX",
            "db/",
            "DAYBOOK_INVOICE_PREFIX must be 1 to 10 capital letters or digits; it is 'db/'.",
        ),
    ],
)
def test_a_wrong_value_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    """The sentence names the variable, what it must be and what it is."""
    monkeypatch.setenv(name, value)

    assert expected == refusal()


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes are told together, so that one correction is enough."""
    monkeypatch.setenv("DAYBOOK_TRAILING_DAYS", "-1")
    monkeypatch.setenv("DAYBOOK_XERO_LOGIN_URL", "ftp://login")

    sentence = refusal()

    assert "DAYBOOK_TRAILING_DAYS must be" in sentence
    assert "DAYBOOK_XERO_LOGIN_URL must be" in sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("files=10000/5", "says 'files=10000/5': 10000 bytes is not from 50000 to 10485760"),
        ("files=99999999/5", "99999999 bytes is not from 50000 to 10485760"),
        (
            "aspire=60000/1,files=60000/11",
            "11 files is not from 1 to 10. Write source=bytes/files, such as files=3000000/10.",
        ),
        ("file=60000/1", "'file=60000/1' and there is no such source: give aspire and files"),
        ("files=60000/1,files=60000/2", "names it twice"),
        ("3MB", "must be source=bytes/files with commas between"),
    ],
)
def test_wrong_limits_of_a_source_say_which_number_and_its_range(
    monkeypatch: pytest.MonkeyPatch, value: str, sentence: str
) -> None:
    """Beside everything else that is wrong."""
    monkeypatch.setenv("DAYBOOK_ATTACHMENT_LIMITS", value)
    monkeypatch.setenv("DAYBOOK_ATTACHMENT_COUNT", "0")
    said = refusal()
    assert sentence in said
    assert "DAYBOOK_ATTACHMENT_LIMITS" in said
    assert "DAYBOOK_ATTACHMENT_COUNT must be" in said


def test_sources_with_limits_are_those_there_are() -> None:
    """Each adapter by its own name."""
    assert {aspire.NAME, files.NAME} == set(SPEND_SOURCES)


def test_a_misspelt_variable_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable nobody reads would be a setting that silently does nothing."""
    monkeypatch.setenv("DAYBOOK_XERO_CLIENT_SECERT", "x")

    assert refusal().startswith(
        "DAYBOOK_XERO_CLIENT_SECERT is not a setting of Daybook; "
        "did you mean DAYBOOK_XERO_CLIENT_SECRET?"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAYBOOK_DATABASE_URL", "mysql://owner:swordfish@db/daybook"),
        ("DAYBOOK_SECRET_KEY", "swordfish"),
    ],
)
def test_a_wrong_secret_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The sentence about a wrong secret names the variable and hides the value."""
    monkeypatch.setenv(name, value)

    sentence = refusal()

    assert sentence.startswith(f"{name} must be ")
    assert "swordfish" not in sentence


def test_secrets_are_not_in_the_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings shows neither passwords nor keys."""
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("DAYBOOK_DATABASE_URL", PASSWORD_URL)
    monkeypatch.setenv("DAYBOOK_SECRET_KEY", key)
    monkeypatch.setenv("DAYBOOK_XERO_CLIENT_SECRET", "swordfish")

    shown = repr(load_settings()) + str(load_settings())

    assert "swordfish" not in shown
    assert key not in shown


def test_a_shared_database_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that machines share must not be encrypted with one machine's private key."""
    monkeypatch.setenv("DAYBOOK_DATABASE_URL", PASSWORD_URL)

    sentence = refusal()

    assert sentence.startswith("DAYBOOK_SECRET_KEY is missing: DAYBOOK_DATABASE_URL names")
    assert "swordfish" not in sentence


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_database_addresses_are_read_as_libpq_writes_them(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """The spellings other tools use for the same database mean the same."""
    monkeypatch.setenv("DAYBOOK_DATABASE_URL", f"{scheme}://owner@db/daybook")
    monkeypatch.setenv("DAYBOOK_SECRET_KEY", Fernet.generate_key().decode())

    database_url = load_settings().database_url

    assert database_url is not None
    assert database_url.get_secret_value() == "postgresql://owner@db/daybook"


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """`NAME=` in a unit file or a compose file means: use the default."""
    monkeypatch.setenv("DAYBOOK_XERO_API_URL", "")

    assert load_settings().xero_api_url == "https://api.xero.com"


def test_the_encryption_key_is_made_once_and_kept_private() -> None:
    """With the embedded database the first use makes the key; every later one reads it."""
    first = load_settings().encryption_key().get_secret_value()
    path = load_settings().home / "secret.key"

    assert first == load_settings().encryption_key().get_secret_value()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(path.parent.iterdir())


def test_a_damaged_key_file_is_refused() -> None:
    """A key file that lost its content must not be replaced: old tokens depend on it."""
    home = load_settings().home
    home.mkdir()
    (home / "secret.key").write_text("damaged")

    with pytest.raises(SettingError, match="does not hold an encryption key"):
        load_settings().encryption_key()


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """Where the state folder cannot be made, the sentence says which setting to change."""
    (tmp_path / ".daybook").write_text("a file where the folder should be")

    with pytest.raises(SettingError, match="set DAYBOOK_HOME to a folder you may write in"):
        load_settings().encryption_key()


def test_missing_xero_credentials_name_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting without an app says which of the two variables is missing."""
    monkeypatch.setenv("DAYBOOK_XERO_CLIENT_ID", "app")

    with pytest.raises(SettingError, match=r"^DAYBOOK_XERO_CLIENT_SECRET is missing"):
        load_settings().xero_credentials()


def test_a_child_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one process hands to its children loads there to the same values, secrets included."""
    monkeypatch.setenv("DAYBOOK_XERO_CLIENT_SECRET", "swordfish")
    monkeypatch.setenv("DAYBOOK_TRAILING_DAYS", "3")
    settings = load_settings()

    for name, value in variables_of(settings).items():
        monkeypatch.setenv(name, value)

    assert settings == load_settings()


def test_children_do_not_inherit_settings_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child starts from the machine's environment, not from another Daybook's or Prefect's."""
    monkeypatch.setenv("DAYBOOK_TRAILING_DAYS", "3")
    monkeypatch.setenv("PREFECT_API_URL", "http://elsewhere/api")
    monkeypatch.setenv("LANG", "C.UTF-8")

    inherited = inherited_variables()

    assert "C.UTF-8" == inherited["LANG"]
    assert not {"DAYBOOK_TRAILING_DAYS", "PREFECT_API_URL"} & inherited.keys()


def test_demo_ports_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each port of the demo has its own variable, checked like any other."""
    monkeypatch.setenv("DAYBOOK_DEMO_PREFECT_PORT", "4300")

    assert load_demo_settings().prefect_port == 4300

    monkeypatch.setenv("DAYBOOK_DEMO_PREFECT_PORT", "http")
    with pytest.raises(
        SettingError,
        match=r"^DAYBOOK_DEMO_PREFECT_PORT must be a free port from 1 to 65535; it is 'http'\.$",
    ):
        load_demo_settings()


def test_every_variable_is_documented() -> None:
    """The operator's page lists the variables, no more and no fewer."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()

    assert sorted(known_variables()) == sorted(
        re.findall(r"^\| `(DAYBOOK_\w+)` \|", page, re.MULTILINE)
    )
