"""How counts are spoken: 1 receipt, 2 receipts."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """The count with its noun; `plural` where that is not the noun and an s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
