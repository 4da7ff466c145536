"""A secret shows itself only to `reveal`."""

import copy
import json
import logging
import pickle
import re
import traceback

import pytest

from bootstrap.secret import MASK, Secret

TEXT = "hunter2-swordfish"


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        "{}".format,
        "{:>40}".format,
        "%s".__mod__,
        "%r".__mod__,
        lambda secret: f"{secret!r} {[secret]} { ({'key': secret}) }",
        lambda secret: json.dumps({"key": secret}, default=str),
        lambda secret: str(pickle.dumps(secret)),
        lambda secret: str(pickle.loads(pickle.dumps(secret)).reveal()),
        lambda secret: str(copy.deepcopy(secret)),
    ],
)
def test_every_other_way_shows_the_mask(shown):
    """Printed, formatted, logged, pickled or inside something else: never the text."""
    assert TEXT not in shown(Secret(TEXT))


def test_a_log_record_shows_the_mask(caplog):
    """A careless log line tells nothing."""
    with caplog.at_level(logging.INFO):
        logging.getLogger("careless").info("got %s", Secret(TEXT))
    assert MASK in caplog.text
    assert TEXT not in caplog.text


def test_a_traceback_with_its_locals_shows_the_mask():
    """A crash report that prints local variables tells nothing."""

    def crash(secret):
        raise ValueError(secret)

    with pytest.raises(ValueError, match=re.escape(MASK)) as caught:
        crash(Secret(TEXT))
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TEXT not in "".join(told.format())


def test_a_secret_is_a_value():
    """Two secrets of the same text are equal, and an empty one is false."""
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert len({Secret(TEXT), Secret(TEXT)}) == 1
    assert not Secret("")
    assert Secret(TEXT).reveal() == TEXT


def test_bytes_that_are_no_text_compare():
    """A secret of any bytes, as `surrogateescape` has them, equals itself and no other."""
    content = b"\xff\x00\xfe".decode(errors="surrogateescape")
    assert Secret(content) == Secret(content)
    assert Secret(content) != Secret(TEXT)
