"""MIME multi-part userData: one userData that serves cloud-init and this program."""

from __future__ import annotations

import re

OUR_TYPE = "text/x-imds-bootstrap"
HEADER = re.compile(rb"\s*(?:From |(?:MIME-Version|Content-[A-Za-z-]+)\s*:)", re.IGNORECASE)
NESTING = re.compile(rb"boundary\s*=|message/", re.IGNORECASE)
MAX_NESTED = 16  # the parser's time and stack grow with the messages inside one another


class Unusable(ValueError):
    """A message that cannot be taken apart; with words that follow "it is"."""


def looks_like(content: bytes) -> bool:
    """Whether `content` begins with the headers of a MIME message."""
    return HEADER.match(content) is not None


def our_part(content: bytes) -> bytes | None:
    """What the part of our type holds, its transfer encoding undone; None when there is none.

    Raises Unusable when there are several, or when the message is too intricate to take apart.
    """
    from email.parser import BytesParser  # 40 ms, for the few userData that are multi-part
    from email.policy import compat32

    if len(NESTING.findall(content)) > MAX_NESTED:
        raise Unusable(f"a MIME message with more than {MAX_NESTED} messages and multi-parts in it")
    message = BytesParser(policy=compat32).parsebytes(content.lstrip())
    parts = [part for part in message.walk() if part.get_content_type() == OUR_TYPE]
    if len(parts) > 1:
        raise Unusable(f"a MIME message with {len(parts)} parts of type {OUR_TYPE}; one is right")
    if not parts:
        return None
    payload = parts[0].get_payload(decode=True)
    if not isinstance(payload, bytes) or parts[0].defects:
        raise Unusable(f"a MIME message whose part of type {OUR_TYPE} cannot be decoded")
    return payload
