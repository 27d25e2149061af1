"""What a sandbox is started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Tier = Literal["starter", "core"]


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Start options; the same seed gives the same ids, tokens and probabilistic faults."""

    seed: int = 1
    tier: Tier = "core"
    limits: bool = True
    state_path: Path | None = None
    faults_path: Path | None = None
    base_url: str = "http://127.0.0.1:8088"
