"""Tags by name: in whatever case a template or a script writes it."""

import json

import pytest

from bootstrap.imds.tags import TagNames

TAGS = TagNames([("Environment", "Test"), ("config:web.port", "80"), ("Straße", "x")])


@pytest.mark.parametrize("name", ["Environment", "environment", "ENVIRONMENT"])
def test_a_name_is_found_in_any_case(name):
    """Azure compares the names of tags case-insensitively."""
    assert name in TAGS
    assert TAGS[name] == TAGS.get(name) == "Test"


def test_what_is_not_there_is_not_found():
    """A name that no tag has is missing, however it is asked for."""
    assert "Env" not in TAGS
    assert 5 not in TAGS
    assert TAGS.get("Env", "none") == "none"
    with pytest.raises(KeyError):
        TAGS["Env"]


def test_names_show_as_they_are_written():
    """A list of the tags, or their JSON, has Azure's own spelling."""
    assert list(TAGS) == ["Environment", "config:web.port", "Straße"]
    assert json.loads(json.dumps(TAGS)) == dict(TAGS)
