#!/usr/bin/env python3
"""Join a document of imds-bootstrap and a cloud-config into one userData.

    python3 multipart.py shop.yaml cloud-config.yaml > userdata.mime

`--base64` prints it as Azure's API and templates take it; `az vm create --user-data FILE` encodes
the file by itself. The same input gives the same bytes, so that a scale set whose userData did not
change is not rolled.
"""

import argparse
import base64
import hashlib
import sys
from email.message import Message

TYPES = {b"#imds-bootstrap": "text/x-imds-bootstrap", b"#cloud-config": "text/cloud-config"}
MAX_ENCODED = 64 * 1024  # https://learn.microsoft.com/azure/virtual-machines/user-data


def joined(contents: list[bytes]) -> bytes:
    """One MIME message with a part for each of `contents`, typed by its first line."""
    message = Message()
    message["MIME-Version"] = "1.0"
    mark = hashlib.sha256(b"\0".join(contents)).hexdigest()[:32]
    message.add_header("Content-Type", "multipart/mixed", boundary=f"=={mark}==")
    message.set_payload([])
    for content in contents:
        part = Message()
        part["Content-Type"] = f'{type_of(content)}; charset="utf-8"'
        part["Content-Transfer-Encoding"] = "base64"
        part.set_payload(base64.encodebytes(content).decode("ascii"))
        message.attach(part)
    return message.as_bytes()


def read(name: str) -> bytes:
    """Return the content of a file; end the program if it cannot be read."""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        sys.exit(f"multipart: reading {name}: {error.strerror}")


def type_of(content: bytes) -> str:
    """Return the MIME type of a part; end the program if its first line names none."""
    first = content.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].strip()
    if first not in TYPES:
        marks = " or ".join(mark.decode() for mark in TYPES)
        sys.exit(f"multipart: a part begins with {first[:60]!r}; it must begin with {marks}")
    return TYPES[first]


def main() -> None:
    """Print the userData that the named files make together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--base64", action="store_true", help="print base64, as the API takes it")
    options = parser.parse_args()
    contents = [read(name) for name in options.files]
    if (ours := [type_of(content) for content in contents].count(TYPES[b"#imds-bootstrap"])) != 1:
        sys.exit(f"multipart: {ours} of the files begin with #imds-bootstrap; one is right")
    message = joined(contents)
    encoded = base64.b64encode(message)
    if len(encoded) > MAX_ENCODED:
        sys.exit(f"multipart: {len(encoded)} bytes in base64; Azure takes {MAX_ENCODED}")
    sys.stdout.buffer.write(encoded + b"\n" if options.base64 else message)


if __name__ == "__main__":
    main()
