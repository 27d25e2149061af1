"""Amounts: text to integer minor units, minor units to Decimal. The only place that converts.

Frames hold int64 minor units (cents), documents hold `Decimal`; a float never touches an amount.
Minor digits per currency follow ISO 4217.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from daybook.errors import InputError

_NO_DECIMALS: Final = (
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"  # ISO 4217, exponent 0
)
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_MINOR_DIGITS_OTHER_THAN_TWO: Final = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_AMOUNT: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?")


def minor_digits(currency: str) -> int:
    """How many decimals the currency has: 2 for SGD, 0 for JPY, 3 for KWD."""
    if not _CURRENCY.fullmatch(currency):
        raise InputError(
            f"'{currency}' is not a currency code; use three capital letters such as SGD."
        )
    return _MINOR_DIGITS_OTHER_THAN_TWO.get(currency, 2)


def parse_minor(text: str, currency: str) -> int:
    """The amount in minor units: '12.30' SGD -> 1230; anything not exact is refused."""
    if not _AMOUNT.fullmatch(text):
        raise InputError(f"'{text}' is not an amount; write it like 1234.50.")
    digits = minor_digits(currency)
    scaled = Decimal(text).scaleb(digits)
    minor = int(scaled)
    if minor != scaled:
        raise InputError(f"'{text}' has more decimals than {currency} has ({digits}).")
    return minor


def amount_from_minor(minor: int, currency: str) -> Decimal:
    """The exact amount with the currency's decimals: 1230 SGD -> Decimal('12.30')."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def minor_from_amount(amount: Decimal, currency: str) -> int:
    """The amount in minor units; a fraction of a minor unit is a broken invariant."""
    scaled = amount.scaleb(minor_digits(currency))
    minor = int(scaled)
    assert minor == scaled, f"{amount} {currency} is not a whole number of minor units"
    return minor
