"""userData as IMDS gives it, decoded to the text of a document.

Azure encodes it as base64. Before that, people may have used gzip, another base64, or MIME
multi-part. Each wrapping is removed under a size limit, in any order, at most MAX_WRAPPINGS times.
"""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode

from bootstrap.config import mime
from bootstrap.errors import InvalidDocument, Problem, Public
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

NAME = "userData"
MARK = "#imds-bootstrap"
MAX_ENCODED = 128 * 1024  # characters; Azure accepts 64 KB, which may grow
MAX_TEXT = 1024 * 1024  # bytes after all unwrapping
MAX_WRAPPINGS = 5
GZIP = b"\x1f\x8b"
GZIP_WINDOW = 31  # `wbits` of zlib for "a gzip header, the largest window"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
# No two adjacent parts match the same character: a text of blanks would take too many steps.
BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+(?:=\s*){0,2}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # these are in binary data, not in text
IGNITION = re.compile(r'\{\s*"ignition"\s*:|\{.*"ignition"\s*:\s*\{\s*"version"', re.DOTALL)
ENCODING_HINT = "encode the file as it is: az vm update --user-data FILE does it by itself"

# https://cloudinit.readthedocs.io/en/latest/explanation/format.html, and the scripts of Windows.
FOREIGN = (
    ("#cloud-config", "cloud-init configuration"),
    ("#cloud-boothook", "a cloud-init boothook"),
    ("#part-handler", "a cloud-init part handler"),
    ("#include", "a cloud-init include file"),
    ("## template:", "a cloud-init template"),
    ("#upstart-job", "an upstart job"),
    ("#!", "a script"),
    ("#ps1", "a PowerShell script"),
    ("<powershell>", "a PowerShell script"),
    ("<script>", "a Windows script"),
)


class UserData(Frozen):
    """The decoded userData of the machine.

    `kind` is `empty`, `document` (ours, or at least of no other known program; `text` holds it) or
    `foreign`. `what` names the content for a note: `cloud-init configuration`.
    """

    kind: Literal["empty", "document", "foreign"]
    text: str = ""
    what: str = ""


def decode(encoded: str) -> UserData:
    """Return the document in `encoded`, the base64 text that IMDS gives.

    Raises InvalidDocument if it cannot be unwrapped, is too large, or is not UTF-8 text.
    """
    if len(encoded) > MAX_ENCODED:
        raise _invalid(f"longer than {MAX_ENCODED // 1024} KiB", "Azure itself takes 64 KB")
    if not encoded.strip():
        return UserData(kind="empty", what="nothing")
    content = _from_base64(encoded.encode("utf-8", "replace"))
    if content is None:
        raise _invalid("not base64", ENCODING_HINT)
    return _unwrap(content)


def _unwrap(content: bytes) -> UserData:
    for _ in range(MAX_WRAPPINGS):
        if content.startswith(GZIP):
            content = _gunzip(content)
        elif mime.looks_like(content):
            part = _part(content)
            if part is None:
                return UserData(kind="foreign", what="a MIME message without a part for us")
            content = part
        elif (inner := _inner_base64(content)) is not None:
            content = inner
        else:
            return _classify(_text(content))
    raise _invalid(f"wrapped more than {MAX_WRAPPINGS} times", "wrap it once, with gzip")


def _from_base64(content: bytes) -> bytes | None:
    """Return the bytes that a base64 text encodes; None if it is not strictly base64."""
    try:
        return b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return None


def _inner_base64(content: bytes) -> bytes | None:
    """Return what was encoded as base64 before Azure did the same; None if nothing was.

    The result counts only if it is gzip, begins with our mark, or is text without control
    characters.
    """
    if not BASE64.fullmatch(content):
        return None
    inner = _from_base64(content)
    if not inner or inner.startswith(GZIP):
        return inner or None
    try:
        text = inner.decode()
    except UnicodeDecodeError:
        return None
    is_ours = text.removeprefix("\ufeff").lstrip().startswith(MARK)
    return inner if is_ours or not CONTROL.search(text) else None


def _gunzip(content: bytes) -> bytes:
    """Return the content of all members of a gzip file, in bounded memory.

    Raises InvalidDocument if the file is damaged, too large, or followed by other data.
    """
    output = b""
    while content.startswith(GZIP):
        member = zlib.decompressobj(GZIP_WINDOW)
        try:
            output += member.decompress(content, MAX_TEXT + 1 - len(output))
        except zlib.error as error:
            raise _invalid("gzip that cannot be unpacked: it is damaged", ENCODING_HINT) from error
        if len(output) > MAX_TEXT:
            raise _invalid(f"gzip that unpacks to more than {MAX_TEXT // 1024} KiB", "")
        if not member.eof:
            raise _invalid("gzip that ends too early", ENCODING_HINT)
        content = member.unused_data
    if content.strip(b"\0"):
        raise _invalid("gzip with something else behind it", ENCODING_HINT)
    return output


def _part(content: bytes) -> bytes | None:
    try:
        return mime.our_part(content)
    except mime.Unusable as error:
        raise _invalid(str(error), "") from error


def _text(content: bytes) -> str:
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        wide = content.startswith(UTF16)
        reason = "UTF-16 text" if wide else f"not UTF-8 text (at byte {error.start})"
        raise _invalid(reason, "save the file as UTF-8, and encode it again") from error


def _classify(text: str) -> UserData:
    beginning = text.lstrip()
    if not beginning:
        return UserData(kind="empty", what="nothing")
    if beginning.startswith(MARK):
        return UserData(kind="document", text=text)
    for mark, what in FOREIGN:
        if beginning[: len(mark)].casefold() == mark:
            return UserData(kind="foreign", what=what)
    if IGNITION.match(beginning):
        return UserData(kind="foreign", what="an Ignition configuration")
    return UserData(kind="document", text=text)


def _invalid(reason: str, hint: str) -> InvalidDocument:
    problem = Problem(f"it is {reason}", where=NAME, hint=hint)
    return InvalidDocument(Public(f"{NAME} cannot be read"), problems=[problem])
