"""Ids, tokens and codes that look random but follow from the seed."""

from __future__ import annotations

import random
import uuid

NO_ID = "00000000-0000-0000-0000-000000000000"


class Identifiers:
    """A seeded stream of unique ids; `reseed` after a restart so that none repeats."""

    def __init__(self, seed: int) -> None:
        """Begin the stream of this seed."""
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  reproducible on purpose, nothing is secret here

    def reseed(self, generation: int) -> None:
        """Switch to the stream of a later start of the same state."""
        self._random.seed(f"{self._seed}/{generation}")

    def guid(self) -> str:
        """Return a new lower-case dashed GUID."""
        digits = self._random.getrandbits(128).to_bytes(16, "big").hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def token(self, characters: int = 43) -> str:
        """Return a new opaque token of letters and digits."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self._random.choices(alphabet, k=characters))


def fixed_guid(seed: int, name: str) -> str:
    """Return the GUID that always belongs to this name under this seed."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"daybook-sandbox/{seed}/{name}"))
