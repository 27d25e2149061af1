"""What a source may need besides its address: options from a file, a token, the network."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec

from daybook.clock import SystemClock
from daybook.errors import InputError, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import httpx

    from daybook.clock import Clock
    from daybook.sales.store import Store

_Form = TypeVar("_Form")
_GRACE: Final = "grace_minutes"


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of a table in which nothing may stand."""


class _Grace(msgspec.Struct, frozen=True):
    """What the table of any source may have: how long after its end a day is not final."""

    grace_minutes: Annotated[int, msgspec.Meta(ge=0, le=43_200)] | None = None


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Handed to whoever opens a source; `tables` are the options, by the name of the source.

    `stores` gives all stores there are, `http` the process's client; both are made on first use.
    """

    tables: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    stores: Callable[[], Collection[Store]] = field(default=list, repr=False)
    token: str | None = field(default=None, repr=False)
    http: Callable[[], httpx.Client] | None = field(default=None, repr=False)
    clock: Clock = field(default_factory=SystemClock, repr=False)

    def options(self, name: str, form: type[_Form]) -> _Form:
        """The source's own options, in this form; without a table, its defaults.

        Raises:
            InputError: the table is missing though it is needed, or something in it is wrong.
        """
        try:
            own = {key: value for key, value in self._table(name).items() if key != _GRACE}
            return msgspec.convert(own, form)
        except msgspec.ValidationError as error:
            if name in self.tables:
                raise InputError(f"The table [{name}] in {self.where} is wrong: {error}.") from None
            raise InputError(
                f"This source needs options: write a table [{name}] into "
                f"{self.where or 'a TOML file and set DAYBOOK_POS_OPTIONS to its path'}."
            ) from None

    def grace(self, name: str) -> dt.timedelta | None:
        """How long after its end a day of this source is not final, where its table says so.

        Raises:
            InputError: it is not a number of minutes up to 30 days.
        """
        try:
            minutes = msgspec.convert(self._table(name), _Grace).grace_minutes
        except msgspec.ValidationError as error:
            raise InputError(f"The table [{name}] in {self.where} is wrong: {error}.") from None
        return None if minutes is None else dt.timedelta(minutes=minutes)

    def _table(self, name: str) -> dict[str, Any]:
        table: dict[str, Any] = self.tables.get(name, {})
        return table

    def needed_token(self) -> str:
        """The access token.

        Raises:
            SettingError: there is none.
        """
        if self.token is None:
            raise SettingError(
                "DAYBOOK_POS_TOKEN is missing: set it to the access token that the point of sale "
                "gives out for reading sales."
            )
        return self.token

    def needed_http(self) -> httpx.Client:
        """The HTTP client of the process."""
        assert self.http is not None, "an API source was opened without a network"
        return self.http()


def parse_options(toml: str, where: str) -> dict[str, Any]:
    """The tables of a file of options.

    Raises:
        InputError: it is not TOML, or holds something outside a table.
    """
    try:
        tables = msgspec.toml.decode(toml, type=dict[str, dict[str, Any]])
    except msgspec.DecodeError as error:
        raise InputError(f"The options in {where} cannot be used: {error}.") from None
    return dict(tables)
