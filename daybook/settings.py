"""Every setting of Daybook; the only module that reads the environment.

A variable is `DAYBOOK_` and the field's name in capitals. `load_settings` and `load_demo_settings`
answer a wrong, missing or misspelt variable with one sentence that names it.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from daybook.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_ENVIRONMENT = os.environ  # noqa: TID251 - this module is the one reader

PREFIX = "DAYBOOK_"
DEMO_PREFIX = "DAYBOOK_DEMO_"

# What one attachment and one document may have, least and most.
_BYTES = (50_000, 10_485_760)
_FILES = (1, 10)
SPEND_SOURCES = ("aspire", "files")
# The kind of an error that is a whole sentence already.
_SENTENCE = "sentence"

_Port = Annotated[int, Field(ge=1, le=65535, description="a free port from 1 to 65535")]
_WebAddress = Annotated[str, Field(description="an http or https address such as {default}")]


class Settings(BaseSettings):
    """What a process of Daybook needs to know; a field's description completes "NAME must be"."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", validate_default=True
    )
    secret_names: ClassVar[frozenset[str]] = frozenset(
        {
            "database_url",
            "xero_client_secret",
            "secret_key",
            "pos_url",
            "pos_token",
            "aspire_client_secret",
        }
    )

    home: Path = Field(default=Path(".daybook"), description="a folder Daybook may write in")
    database_url: SecretStr | None = Field(
        default=None, description="an address such as postgresql://user:password@host:5432/daybook"
    )
    secret_key: SecretStr | None = Field(
        default=None, description="32 bytes in URL-safe base64, as `daybook secret-key` prints"
    )

    xero_api_url: _WebAddress = "https://api.xero.com"
    xero_identity_url: _WebAddress = "https://identity.xero.com"
    xero_login_url: _WebAddress = "https://login.xero.com"
    xero_redirect_url: _WebAddress = "http://localhost:8765/callback"
    xero_client_id: str | None = Field(default=None, description="the client id of your Xero app")
    xero_client_secret: SecretStr | None = Field(
        default=None, description="the client secret of your Xero app"
    )
    xero_minute_calls: int = Field(
        default=60, ge=1, le=10_000, description="a number of calls from 1 to 10000"
    )
    xero_day_calls: int = Field(
        default=5000, ge=1, le=1_000_000, description="a number of calls from 1 to 1000000"
    )
    xero_concurrent_calls: int = Field(
        default=5, ge=1, le=50, description="a number of calls from 1 to 50"
    )
    day_reserve_calls: int = Field(
        default=300, ge=0, le=1_000_000, description="a number of calls from 0 to 1000000"
    )

    # A secret too: it may hold a user and a password.
    pos_url: SecretStr | None = Field(
        default=None, description="a folder, or the address of the point of sale's receipts"
    )
    pos_token: SecretStr | None = Field(
        default=None, description="the access token of the point of sale"
    )
    pos_options: Path | None = Field(default=None, description="the path of a TOML file")
    trailing_days: int = Field(
        default=7, ge=1, le=366, description="a number of days from 1 to 366"
    )
    unfinished_days: int = Field(
        default=60, ge=1, le=366, description="a number of days from 1 to 366"
    )
    extract_group_size: int = Field(
        default=25, ge=1, le=1000, description="a number of stores from 1 to 1000"
    )
    chunk_store_days: int = Field(
        default=2000, ge=1, le=100_000, description="a number of store-days from 1 to 100000"
    )
    closed_after_minutes: int = Field(
        default=0, ge=0, le=2880, description="a number of minutes from 0 to 2880"
    )
    invoice_prefix: str = Field(
        default="DB", pattern=r"^[A-Z0-9]{1,10}$", description="1 to 10 capital letters or digits"
    )

    spend_url: str | None = Field(
        default=None, description="a CSV or XLSX file of expenses, local or an fsspec URL"
    )
    receipts_url: str | None = Field(
        default=None, description="a folder of receipts' files, local or an fsspec URL"
    )
    aspire_api_url: _WebAddress = "https://api.aspireapp.com"
    aspire_client_id: str | None = Field(default=None, description="the id of your Aspire API key")
    aspire_client_secret: SecretStr | None = Field(
        default=None, description="the secret of your Aspire API key"
    )
    aspire_has_receipts: bool = Field(
        default=False, description="true or false; only the sandbox's Aspire hands over receipts"
    )
    expense_days: int = Field(
        default=60, ge=1, le=3660, description="a number of days from 1 to 3660"
    )
    expense_excluded_countries: str = Field(
        default="HK",
        pattern=r"^([A-Z]{2}(,[A-Z]{2})*)?$",
        description="country codes with commas between, such as HK,CN",
    )
    attachment_bytes: int = Field(
        default=3_000_000,
        ge=_BYTES[0],
        le=_BYTES[1],
        description="a number of bytes from 50000 to 10485760",
    )
    attachment_count: int = Field(
        default=10, ge=_FILES[0], le=_FILES[1], description="a number of files from 1 to 10"
    )
    attachment_limits: str = Field(
        default="",
        pattern=r"^([a-z]+=\d+/\d+(,[a-z]+=\d+/\d+)*)?$",
        description="source=bytes/files with commas between, such as "
        "files=10000000/10,aspire=3000000/10",
    )
    attachment_attempts: int = Field(
        default=10, ge=1, le=100, description="a number of attempts from 1 to 100"
    )
    attachment_wait_seconds: int = Field(
        default=900, ge=1, le=86_400, description="a number of seconds from 1 to 86400"
    )

    @field_validator("home", "pos_options")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        return Path(os.path.abspath(value.expanduser()))  # noqa: PTH100 - resolve() would follow a link

    @field_validator(
        "xero_api_url",
        "xero_identity_url",
        "xero_login_url",
        "xero_redirect_url",
        "aspire_api_url",
        mode="after",
    )
    @classmethod
    def _web_address(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme, separator, rest = value.get_secret_value().partition("://")
        if scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not separator + rest:
            raise ValueError
        return SecretStr(f"postgresql://{rest}")

    @field_validator("attachment_limits")
    @classmethod
    def _limits_by_source(cls, value: str) -> str:
        said = _wrong_limits(value)
        if said:
            raise PydanticCustomError(_SENTENCE, "{said}", {"said": f"{PREFIX}{said}"})
        return value

    @field_validator("secret_key")
    @classmethod
    def _fernet_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Fernet(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _key_of_a_shared_database(self) -> Self:
        if self.database_url is not None and self.secret_key is None:
            raise SettingError(
                "DAYBOOK_SECRET_KEY is missing: DAYBOOK_DATABASE_URL names a database that other "
                "machines may share, so the key that encrypts its tokens has to be set as well."
            )
        return self

    @property
    def is_embedded(self) -> bool:
        """Whether Daybook runs its own PostgreSQL, because no database is named."""
        return self.database_url is None

    def encryption_key(self) -> SecretStr:
        """Return the key that encrypts tokens; with the embedded database it is made once."""
        return self.secret_key or SecretStr(_key_kept_in(self.home / "secret.key"))

    def aspire_credentials(self) -> tuple[str, SecretStr]:
        """Return the Aspire API key's id and secret; SettingError when the secret is missing."""
        assert self.aspire_client_id is not None, "asked only where an id is set"
        if self.aspire_client_secret is None:
            raise SettingError(
                f"{PREFIX}ASPIRE_CLIENT_SECRET is missing: set it to "
                f"{_expectation(Settings, 'aspire_client_secret')}, shown once when it was made."
            )
        return self.aspire_client_id, self.aspire_client_secret

    def xero_credentials(self) -> tuple[str, SecretStr]:
        """Return the Xero app's client id and secret; raise SettingError when one is missing."""
        for name in ("xero_client_id", "xero_client_secret"):
            if getattr(self, name) is None:
                raise SettingError(
                    f"{PREFIX}{name.upper()} is missing: set it to {_expectation(Settings, name)}, "
                    "from the app's Configuration page at developer.xero.com."
                )
        assert self.xero_client_id is not None
        assert self.xero_client_secret is not None
        return self.xero_client_id, self.xero_client_secret


class DemoSettings(BaseSettings):
    """The ports that `make demo` asks for; a taken one is replaced by a free one."""

    model_config = SettingsConfigDict(
        env_prefix=DEMO_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )
    secret_names: ClassVar[frozenset[str]] = frozenset()

    prefect_port: _Port = 4200
    sandbox_port: _Port = 4210
    postgres_port: _Port = 4220


_Model = TypeVar("_Model", Settings, DemoSettings)


def load_settings() -> Settings:
    """Read `DAYBOOK_*`; raise one SettingError that names everything wrong."""
    return _load(Settings)


def load_demo_settings() -> DemoSettings:
    """Read `DAYBOOK_DEMO_*`; raise one SettingError that names everything wrong."""
    return _load(DemoSettings)


def variables_of(settings: Settings) -> dict[str, str]:
    """Return the variables from which a child process reads the same settings, secrets too."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return {
        PREFIX + name.upper(): _plain(value) for name, value in values.items() if value is not None
    }


def inherited_variables() -> dict[str, str]:
    """Return the environment a child process starts from, without Daybook's and Prefect's own."""
    return {
        name: value
        for name, value in _ENVIRONMENT.items()
        if not name.upper().startswith((PREFIX, "PREFECT_"))
    }


def known_variables() -> tuple[str, ...]:
    """Return the name of every variable that Daybook reads."""
    return tuple(PREFIX + name.upper() for name in Settings.model_fields) + tuple(
        DEMO_PREFIX + name.upper() for name in DemoSettings.model_fields
    )


def _load(model: type[_Model]) -> _Model:
    """Refuse unknown variables, then read the known ones."""
    _refuse_unknown(_ENVIRONMENT)
    try:
        return model()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        # `from None`: pydantic's own message would show the values, secrets among them.
        raise SettingError(" ".join(_sentence(model, problem) for problem in problems)) from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """Raise SettingError for a `DAYBOOK_*` variable that nothing reads."""
    known = known_variables()
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX) or name.upper() in known:
            continue
        nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0)[0]
        raise SettingError(
            f"{name} is not a setting of Daybook; did you mean {nearest}? "
            "Remove or rename it: a misspelt setting would be ignored silently."
        )


def _sentence(model: type[_Model], problem: ErrorDetails) -> str:
    """Say which variable is wrong, what it must be and, unless it is a secret, what it is."""
    if problem["type"] == _SENTENCE:
        return problem["msg"]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    variable = f"{model.model_config['env_prefix']}{name.upper()}"
    expected = _expectation(model, name)
    if name in model.secret_names:
        return f"{variable} must be {expected}; what it holds is something else (not shown)."
    return f"{variable} must be {expected}; it is '{problem['input']}'."


def _wrong_limits(value: str) -> str:
    """What is wrong with limits by source, as a sentence from the variable's name on; or ""."""
    sources: set[str] = set()
    for one in filter(None, value.split(",")):
        source, _, limits = one.partition("=")
        if source not in SPEND_SOURCES or source in sources:
            why = "names it twice" if source in sources else "there is no such source"
            known = " and ".join(SPEND_SOURCES)
            return f"ATTACHMENT_LIMITS says '{one}' and {why}: give {known} at most once each."
        sources.add(source)
        ranges = zip(limits.split("/"), (_BYTES, _FILES), ("bytes", "files"), strict=True)
        for number, (least, most), what in ranges:
            if not least <= int(number) <= most:
                return (
                    f"ATTACHMENT_LIMITS says '{one}': {number} {what} is not from {least} to "
                    f"{most}. Write source=bytes/files, such as {source}=3000000/10."
                )
    return ""


def _expectation(model: type[_Model], name: str) -> str:
    """Return the words that complete "NAME must be"."""
    field = model.model_fields[name]
    return (field.description or "").format(default=field.default)


def _plain(value: Any) -> str:  # noqa: ANN401 - any field's value
    """Write one value the way the environment holds it."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _key_kept_in(path: Path) -> str:
    """Return the key in this file, made on first use; raise SettingError when it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, Fernet.generate_key().decode("ascii"))
        key = path.read_text("ascii").strip()
        Fernet(key)
    except OSError as error:
        raise SettingError(
            f"The encryption key in {path} cannot be read or made ({error.strerror}); set "
            "DAYBOOK_HOME to a folder you may write in, or DAYBOOK_SECRET_KEY to a key."
        ) from error
    except ValueError:
        raise SettingError(
            f"{path} does not hold an encryption key; put the original file back, "
            "or remove it and connect Xero again."
        ) from None
    return key


def _write_once(path: Path, text: str) -> None:
    """Create a private file completely or not at all; a file that is already there wins."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
