"""What a userData can cost: Azure takes 64 KB, gzip makes a megabyte of it, a boot waits for it."""

from __future__ import annotations

import gzip
import time

import pytest

from bootstrap.errors import InvalidDocument

LIMIT = 10  # seconds of CPU, several times what the slowest takes on a slow machine
HEAD = "version: 1\n"


def many(count, line):
    """`line` so many times, each with its number."""
    return "".join(line.format(number) for number in range(count))


def nested(count, head):
    """MIME headers inside one another, and then many lines."""
    return many(count, head) + "x\n" * 250_000


COSTLY = {
    "blanks that are no base64": "A" + " " * 1_000_000 + "!",
    "base64 in many lines": "QUFB" + "\n" * 1_000_000 + "!",
    "unknown keys": HEAD + many(30_000, "k{}: 1\n"),
    "unknown keys of a file": HEAD + "files:\n- path: /etc/a\n" + many(30_000, "  k{}: 1\n"),
    "wrong handlers": HEAD + "handlers:\n" + many(30_000, "  h{}: 1\n"),
    "octal numbers": HEAD + "values:\n" + many(20_000, "  k{}: 017\n"),
    "deep paths": HEAD + "files:\n" + many(250, "- {{path: /etc" + "/a" * 2000 + "{}}}\n"),
    "multi-parts in multi-parts": nested(
        60, "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n"
    ),
    "messages in messages": nested(10_000, "Content-Type: message/rfc822\n\n"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_user_data_ends_in_time(name, resolve_layers):
    """However it is made, it ends in an error that a person can read, within seconds."""
    started = time.process_time()
    with pytest.raises(InvalidDocument) as caught:
        resolve_layers(user_data=gzip.compress(COSTLY[name].encode(), mtime=0))
    assert time.process_time() - started < LIMIT
    assert 0 < len(caught.value.problems) <= 250


def test_many_files_are_no_mistake(resolve_layers):
    """A thousand files, some below the folders of others, are looked through quickly."""
    entries = many(1000, "- {{path: /etc/{0}/x, content: a}}\n- {{path: /opt/{0}, content: b}}\n")
    assert len(resolve_layers(image={"10.yaml": f"{HEAD}files:\n{entries}"}).files) == 2000
