"""What the rules need to know of an organisation's chart; `daybook.xero` reads one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from decimal import Decimal


class AccountFacts(Protocol):
    """An account of the chart."""

    @property
    def name(self) -> str:
        """As Xero shows it."""
        ...

    @property
    def type(self) -> str:
        """Xero's type: BANK, EXPENSE, OVERHEADS ..."""
        ...

    @property
    def account_class(self) -> str:
        """ASSET, EQUITY, EXPENSE, LIABILITY or REVENUE."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether it is in use."""
        ...

    @property
    def system_account(self) -> str:
        """What Xero itself uses it for, or ""."""
        ...

    @property
    def currency(self) -> str:
        """Of a bank account, or ""."""
        ...


class TaxRateFacts(Protocol):
    """A tax type."""

    @property
    def is_active(self) -> bool:
        """Whether it is in use."""
        ...

    @property
    def rate_percent(self) -> Decimal:
        """What Xero computes with."""
        ...

    @property
    def account_classes(self) -> Collection[str]:
        """The classes of accounts that it may stand on."""
        ...


class TrackingFacts(Protocol):
    """A tracking category."""

    @property
    def is_active(self) -> bool:
        """Whether it is in use."""
        ...

    @property
    def active_options(self) -> Collection[str]:
        """Its options in use, by name."""
        ...


class ChartFacts(Protocol):
    """Everything a mapping may refer to."""

    @property
    def accounts(self) -> Mapping[str, AccountFacts]:
        """By code."""
        ...

    @property
    def tax_rates(self) -> Mapping[str, TaxRateFacts]:
        """By tax type."""
        ...

    @property
    def tracking(self) -> Mapping[str, TrackingFacts]:
        """By name."""
        ...
