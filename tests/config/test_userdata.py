"""userData in every form in which people give it, and what is none."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from base64 import b64encode, encodebytes
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.config.userdata import decode
from bootstrap.errors import InvalidDocument

DOCUMENT = "#imds-bootstrap\nversion: 1\nvalues: {name: Müller & Söhne}\n"
REAL = Path(__file__).parents[3] / "shared/data/imds"


def b64(content):
    return b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def outcome(content):
    try:
        return decode(b64(content))
    except InvalidDocument as error:
        return error


def multipart(*parts, encoding="base64"):
    message = MIMEMultipart()
    for subtype, text in parts:
        part = MIMEText(text, subtype, "utf-8")
        if encoding != "base64":
            part = Message()
            part["Content-Type"] = f"text/{subtype}; charset=utf-8"
            part["Content-Transfer-Encoding"] = encoding
            part.set_payload(text.encode().decode("latin-1"))
        message.attach(part)
    return message.as_bytes()


def wrapped(content, order):
    content = content.encode()
    for kind in order:
        if kind == "gzip":
            content = gzip.compress(content, mtime=0)
        elif kind == "base64":
            content = encodebytes(content)
        else:
            content = multipart(("x-imds-bootstrap", content.decode()), ("cloud-config", "#x"))
    return content


@pytest.mark.parametrize(
    "order",
    [
        (),
        ("gzip",),
        ("base64",),
        ("mime",),
        ("gzip", "base64"),
        ("base64", "gzip"),
        ("mime", "gzip"),
        ("mime", "base64"),
        ("mime", "gzip", "base64"),
        ("base64", "base64"),
        ("gzip", "gzip"),
    ],
    ids="-in-".join,
)
def test_every_wrapping_comes_off(order):
    """A document arrives as it was written, however it was wrapped."""
    found = decode(b64(wrapped(DOCUMENT, order)))
    assert (found.kind, found.text) == ("document", DOCUMENT)


def test_json_is_a_document():
    """JSON needs no mark."""
    text = json.dumps({"version": 1, "values": {}})
    assert decode(b64(text)).text == text


def test_newlines_in_base64_are_no_matter():
    """Tools that break base64 into lines make no difference."""
    assert decode(encodebytes(DOCUMENT.encode() * 9).decode()).text == DOCUMENT * 9


def test_several_gzip_members_are_one_text():
    """Concatenated gzip files unpack to concatenated text, as gunzip does it."""
    content = (
        gzip.compress(DOCUMENT.encode(), mtime=0) + gzip.compress(b"# more\n", mtime=0) + b"\0\0"
    )
    assert decode(b64(content)).text == DOCUMENT + "# more\n"


def test_a_byte_order_mark_is_taken_off():
    """What Notepad saves as UTF-8 is read."""
    assert decode(b64(b"\xef\xbb\xbf" + DOCUMENT.encode())).text == DOCUMENT


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_transfer_encodings_of_a_part_are_undone(encoding):
    """A part arrives as written whatever its Content-Transfer-Encoding."""
    message = EmailMessage()
    message.set_content(DOCUMENT, subtype="x-imds-bootstrap", cte=encoding)
    outer = MIMEMultipart()
    outer.attach(message)
    assert decode(b64(outer.as_bytes())).text == DOCUMENT


def test_a_single_message_of_our_type_is_ours():
    """A message need not be multi-part."""
    content = f"Content-Type: text/x-imds-bootstrap\n\n{DOCUMENT}"
    assert decode(b64(content)).text == DOCUMENT


@pytest.mark.parametrize(
    "encoded", ["", "  \n", b64(""), b64(" \n\t\n"), b64(gzip.compress(b"", mtime=0))]
)
def test_nothing_is_empty(encoded):
    """Empty userData, and userData of white space, is empty rather than wrong."""
    assert decode(encoded).kind == "empty"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("#cloud-config\n{}", "cloud-init configuration"),
        ("#cloud-config-archive\n[]", "cloud-init configuration"),
        ("#!/bin/sh\nversion: 1\n", "a script"),
        ("#include\nhttps://example.com", "a cloud-init include file"),
        ("#include-once\nhttps://example.com", "a cloud-init include file"),
        ("## template: jinja\n#cloud-config", "a cloud-init template"),
        ("#cloud-boothook\n", "a cloud-init boothook"),
        ("#part-handler\n", "a cloud-init part handler"),
        ("<powershell>\n", "a PowerShell script"),
        ("#ps1_sysnative\n", "a PowerShell script"),
        ('{"ignition": {"version": "3.4.0"}}', "an Ignition configuration"),
        ('{"storage": {}, "ignition": {"version": "3"}}', "an Ignition configuration"),
        (multipart(("cloud-config", "#cloud-config")), "a MIME message without a part for us"),
        (gzip.compress(b"#cloud-config\n", mtime=0), "cloud-init configuration"),
    ],
)
def test_what_belongs_to_others_is_recognised(content, what):
    """What is plainly somebody else's is named and left alone."""
    found = decode(b64(content))
    assert (found.kind, found.what, found.text) == ("foreign", what, "")


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("!!!!", "it is not base64"),
        ("Zm9vYmF", "it is not base64"),
        ("Zm9v*YmFy", "it is not base64"),
        ("é" * 8, "it is not base64"),
        ("A" * (128 * 1024 + 4), "it is longer than 128 KiB"),
        (b64(b"\xff\xfea\0"), "it is UTF-16 text"),
        (b64(b"version: \xe9"), "it is not UTF-8 text (at byte 9)"),
        (b64(gzip.compress(b"x" * 99, mtime=0)[:-9]), "it is gzip that ends too early"),
        (b64(b"\x1f\x8b\x08garbage!"), "it is gzip that cannot be unpacked: it is damaged"),
        (b64(gzip.compress(b"x", mtime=0) + b"tail"), "it is gzip with something else behind it"),
        (
            b64(gzip.compress(b" " * (1024 * 1024 + 1), mtime=0)),
            "it is gzip that unpacks to more than 1024 KiB",
        ),
        (b64(wrapped(DOCUMENT, ["base64"] * 6)), "it is wrapped more than 5 times"),
        (
            b64(multipart(("x-imds-bootstrap", "a"), ("x-imds-bootstrap", "b"))),
            "it is a MIME message with 2 parts of type text/x-imds-bootstrap; one is right",
        ),
        (
            b64("Content-Type: multipart/mixed\n" + "x: boundary=a\n" * 70),
            "it is a MIME message with more than 16 messages and multi-parts in it",
        ),
    ],
)
def test_what_cannot_be_unwrapped_is_said(encoded, message):
    """Each way of being broken has words of its own."""
    with pytest.raises(InvalidDocument) as caught:
        decode(encoded)
    assert [problem.message for problem in caught.value.problems] == [message]
    assert caught.value.problems[0].where == "userData"


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_decoder(content):
    """Whatever userData holds, the decoder decides, or refuses in words."""
    found = outcome(content)
    assert found.problems if isinstance(found, InvalidDocument) else found.kind


@given(st.text(max_size=200), st.lists(st.sampled_from(["gzip", "base64"]), max_size=4))
def test_decode_undoes_encode(text, order):
    """Whatever is wrapped comes out as it went in."""
    text = f"#imds-bootstrap\n{text}\n"
    assert decode(b64(wrapped(text, order))).text == text


@given(st.binary(max_size=200))
def test_no_message_crashes_the_decoder(content):
    """A MIME message can be as broken as it likes."""
    head = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/x-imds-bootstrap\n"
    )
    found = outcome(head + content)
    assert found.problems if isinstance(found, InvalidDocument) else found.kind


@pytest.mark.skipif(not REAL.is_dir(), reason="the collection of real documents is not here")
def test_a_real_machine_of_china_is_read():
    """The userData of a machine in Azure China is text that is no document, not a crash."""
    compute = json.loads((REAL / "instance-windows-china.json").read_text())["compute"]
    assert decode(compute["userData"]).text == "foobar"


BOMBS = {
    "gzip": "decode(sys.stdin.read())",
    "aliases": (
        "parse('a0: &a0 [' + 'x,' * 9 + 'x]\\n' + ''.join("
        "f'a{n}: &a{n} [' + f'*a{n - 1},' * 9 + f'*a{n - 1}]\\n' for n in range(1, 40)), 'u')"
    ),
    "text behind aliases": (
        "parse('a: &a ' + 'x' * 500_000 + '\\nb: [' + '*a,' * 90_000 + ']\\n', 'u')"
    ),
    "nodes": "parse('[' * 8 + '[],' * 340_000, 'u')",
    "depth": "parse('[' * 1_000_000, 'u')",
    "block depth": "parse('- ' * 500_000, 'u')",
    "json depth": "parse('{\"a\":' * 200_000, 'u')",
    "digits": "parse('a: ' + '9' * 1_000_000, 'u')",
    "problems": "parse('a: 2024-01-01\\n' * 70_000, 'u')",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_meet_a_fixed_cap(bomb):
    """However userData is made, reading it ends in a clear error within 200 MB and 30 s."""
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (30, 30))\n"
        "from bootstrap.config.userdata import decode\n"
        "from bootstrap.errors import InvalidDocument\n"
        "from bootstrap.document import parse\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 200 << 20))\n"
        f"try: {BOMBS[bomb]}\n"
        "except InvalidDocument as error: print(error.problems[-1].message)\n"
    )
    packed = b64(gzip.compress(bytes(90_000_000), mtime=0)) if bomb == "gzip" else ""
    done = subprocess.run(
        [sys.executable, "-c", script], input=packed, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
