"""Attachments of a mail that was saved as a file; nothing the mail says about itself is trusted."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from dataclasses import dataclass
from email.errors import MessageError
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

_PARTS_MAX: Final = 200
# What the parser answers hostile mail with: it has no errors of its own for most of it.
_PARSER_ERRORS: Final = (
    MessageError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)
_NAME_LENGTH_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; its name is fit to be shown, and for nothing else."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """When it says it was sent (aware UTC), and what was attached."""

    sent_at: dt.datetime | None
    attachments: tuple[Attachment, ...]


def read_mail(content: bytes) -> Mail:
    """The mail's attachments, those of forwarded mails in it too.

    Raises:
        InputError: it cannot be taken apart.
    """
    try:
        message: EmailMessage = email.message_from_bytes(content, policy=email.policy.default)
        return Mail(_sent_at(message), tuple(_attachments(message)))
    except _PARSER_ERRORS as error:
        raise InputError(
            f"The mail cannot be taken apart ({type(error).__name__}); save the report from it as "
            "a file and put that into the folder."
        ) from None


def _sent_at(message: EmailMessage) -> dt.datetime | None:
    try:
        sent_at = parsedate_to_datetime(str(message["Date"]))
        # A date without its zone is no instant.
        return sent_at.astimezone(dt.UTC) if sent_at.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def _attachments(message: EmailMessage) -> Iterator[Attachment]:
    for number, part in enumerate(message.walk(), 1):
        if number > _PARTS_MAX:
            raise InputError(
                f"The mail has more than {_PARTS_MAX} parts; save the report from it as a file and "
                "put that into the folder."
            )
        filename = part.get_filename()
        if filename is None or part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield Attachment(_shown(filename), payload)


def _shown(filename: str) -> str:
    """The last part of the name in printable characters; never a path."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(one if one.isprintable() else "?" for one in last)[-_NAME_LENGTH_MAX:]
