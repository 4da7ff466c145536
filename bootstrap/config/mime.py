"""MIME multi-part userData: one userData for both cloud-init and this program."""

from __future__ import annotations

import re

OUR_TYPE = "text/x-imds-bootstrap"
HEADER = re.compile(rb"\s*(?:From |(?:MIME-Version|Content-[A-Za-z-]+)\s*:)", re.IGNORECASE)
NESTING = re.compile(rb"boundary\s*=|message/", re.IGNORECASE)
MAX_NESTED = 16  # the parser's time and stack grow with the depth of nesting


class Unusable(ValueError):
    """A message that cannot be used; the text of the error follows the words "it is"."""


def looks_like(content: bytes) -> bool:
    """Return whether `content` begins with the headers of a MIME message."""
    return HEADER.match(content) is not None


def our_part(content: bytes) -> bytes | None:
    """Return the content of the part of our type, its transfer encoding removed; None without one.

    Raises Unusable if there are several, if the message holds more than MAX_NESTED messages and
    multi-parts, or if the part cannot be decoded.
    """
    from email.parser import BytesParser  # 40 ms, which only multi-part userData needs
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
