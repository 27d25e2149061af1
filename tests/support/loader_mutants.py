"""Loaders that are broken on purpose, each without one of the things that make it exact."""

from __future__ import annotations


def mutate(name: str) -> None:
    """Break this process's loader in the way that is named; "" leaves it whole."""
