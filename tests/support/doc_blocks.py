"""The examples in the documentation, so that tests can run them as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

_DOCS = Path(__file__).parents[2] / "docs"


def doc_blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page of docs/, in order."""
    text = (_DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
