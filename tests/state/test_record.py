from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.state.manifest import Written, verify
from bootstrap.state.record import Damaged, State, decode, encode

FULL = State(
    vm_id="13f56399-bd52-4150-9748-7190aae1ff21",
    agent_version="1.2.3",
    fingerprint="abc",
    written={
        "/etc/ü": Written(
            path="/etc/ü",
            sha256="0" * 64,
            mode=0o640,
            uid=0,
            gid=77,
            once=True,
            secret=True,
            in_place=True,
            attributes={"security.selinux": b"a:b:c\0", "user.\xe4": b"\xff"},
            unknown={"unknown": 1},
        )
    },
    pending_handlers=("shopd",),
    settings={"imds": {"endpoint": ""}},
    environment="prod",
    configured_at="2026-01-01T00:00:00Z",
    result="configured",
    unknown={"history": [{"\xfc": None}], "unknown": 2},
)
RECORD = json.loads(encode(FULL))


def test_round_trip():
    """What is remembered is what was to be remembered."""
    assert decode(encode(FULL)) == FULL
    assert decode(encode(State(vm_id="x"))) == State(vm_id="x")


def test_older_record_lacks_what_was_not_known():
    """A record from before attributes were remembered is read, and says nothing of them."""
    record = json.loads(json.dumps(RECORD))
    for name in ("attributes", "in_place"):
        del record["written"][0][name]
    (written,) = decode(json.dumps(record).encode()).written.values()
    assert (written.attributes, written.in_place) == (None, False)
    del record["environment"]
    assert decode(json.dumps(record).encode()).environment == ""


def test_later_record_keeps_what_is_not_known():
    """Fields of a later version are written again as they were, each where it was."""
    record = {**RECORD, "later": {"a": [1]}, "written": [{**RECORD["written"][0], "size": 7}]}
    state = decode(json.dumps(record).encode())
    assert state.unknown == {**FULL.unknown, "later": {"a": [1]}}
    assert state.written["/etc/ü"].unknown == {"unknown": 1, "size": 7}
    assert json.loads(encode(state)) == record


@pytest.mark.parametrize("place", ["state", "written"])
def test_what_is_not_known_can_be_written_again(place):
    """A field that is nested so deeply that no later run could save it is damage."""
    record = json.loads(json.dumps(RECORD))
    holder = record if place == "state" else record["written"][0]
    for depth in (99, 100, 500):
        holder["later"] = "DEEP"
        deep = json.dumps(record).replace('"DEEP"', "[" * depth + "]" * depth).encode()
        if depth < 100:
            assert json.loads(encode(decode(deep))) == json.loads(deep)
        else:
            with pytest.raises(Damaged, match="nested"):
                decode(deep)


def test_same_state_same_bytes():
    """The same state is always the same bytes, so that an unchanged run writes none."""
    assert encode(FULL) == encode(decode(encode(FULL)))


@given(st.binary())
def test_any_bytes_are_damage_at_worst(data):
    """No bytes make reading fail in any other way than by saying that they are damaged."""
    with pytest.raises(Damaged):
        decode(data)


def mutated(draw_from, path=()):
    """Every path in a document, so that each value can be replaced."""
    yield path
    if isinstance(draw_from, dict):
        for key, value in draw_from.items():
            yield from mutated(value, (*path, key))
    if isinstance(draw_from, list):
        for index, value in enumerate(draw_from):
            yield from mutated(value, (*path, index))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([path for path in mutated(RECORD) if path]), JSON)
def test_any_value_in_any_place_is_damage_or_is_usable(path, value):
    """A record in which anything stands anywhere is refused, or can be worked with."""
    record = json.loads(json.dumps(RECORD))
    target = record
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    try:
        state = decode(json.dumps(record).encode())
    except Damaged:
        return
    encode(state)
    verify(state.written.values(), root="/nowhere")


@pytest.mark.parametrize("cut", range(0, len(encode(FULL)) - 2, 7))
def test_half_a_record_is_damaged(cut):
    """A record that was cut off anywhere is damaged."""
    with pytest.raises(Damaged):
        decode(encode(FULL)[:cut])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 100_000,
        b"\xff",
        b"null",
        b"{}",
        b'{"schema": 2}',
        b'{"schema": true}',
        b'{"schema": ' + b"9" * 5000 + b"}",
    ],
)
def test_known_damage(data):
    """Empty, deep, wrong and future records are damaged."""
    with pytest.raises(Damaged):
        decode(data)


@pytest.mark.parametrize("path", ["", "etc/x", "/a\0b", "/\ud800"])
def test_path_that_the_system_would_not_take(path):
    """A path that no system call takes is damage, and not an error of its own later."""
    record = json.loads(json.dumps(RECORD))
    record["written"][0]["path"] = path
    with pytest.raises(Damaged):
        decode(json.dumps(record).encode())


def damage(change):
    """Decode a record after this change to it, and give the words for what is wrong."""
    record = json.loads(json.dumps(RECORD))
    change(record)
    with pytest.raises(Damaged) as caught:
        decode(json.dumps(record).encode())
    return str(caught.value)


def fields(**values):
    """Set fields of the record."""
    return lambda record: record.update(values)


def file(**values):
    """Set fields of its file."""
    return lambda record: record["written"][0].update(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (fields(schema=2), "its schema is not 1"),
        (fields(schema=True), "schema is missing or is not int"),
        (fields(pending_handlers=["a", 1]), "pending_handlers holds something that is not a name"),
        (fields(pending_handlers="a"), "pending_handlers is missing or is not list"),
        (fields(written=[1]), "it holds something that is not an object"),
        (fields(floating=1), "floating is missing or is not bool"),
        (fields(environment=None), "environment is missing or is not str"),
        (fields(settings=[]), "settings is missing or is not dict"),
        (file(path="etc/a"), "a path is not absolute"),
        (file(path="/a\0"), "a name holds a zero"),
        (file(path="/\ud800"), "a name is not text"),
        (file(sha256="0" * 63), "a digest is not SHA-256"),
        (file(sha256="-" * 64), "a digest is not SHA-256"),
        (file(mode="8"), "a mode is not octal"),
        (file(mode="10000"), "a mode is out of range"),
        (file(mode="-1"), "a mode is out of range"),
        (file(uid=-1), "uid is out of range"),
        (file(uid=2**32 - 1), "uid is out of range"),
        (file(gid=2**32 - 1), "gid is out of range"),
        (file(gid=True), "gid is missing or is not int"),
        (file(attributes={"user.a": "x"}), "an attribute is not hexadecimal"),
        (file(attributes={"user.a": None}), "an attribute is not hexadecimal"),
        (file(attributes={"\0": ""}), "a name holds a zero"),
        (file(attributes=[]), "attributes is missing or is not dict"),
        (file(acl=1), "acl is missing or is not str"),
        (file(in_place=0), "in_place is missing or is not bool"),
    ],
)
def test_damage_is_told_in_words(change, words):
    """A person can find the field; no value is quoted."""
    assert damage(change) == words


@pytest.mark.parametrize(
    "name",
    [
        *("schema", "vm_id", "agent_version", "result", "configured_at", "fingerprint"),
        *("floating", "pending_handlers", "written", "settings"),
    ],
)
def test_every_field_has_to_be_there(name):
    """A record that lacks what every version has written is no record."""
    assert damage(lambda record: record.pop(name)).startswith(f"{name} is missing")


@pytest.mark.parametrize(
    "name", ["path", "sha256", "mode", "uid", "gid", "ours", "once", "follow", "secret", "source"]
)
def test_every_field_of_a_file_has_to_be_there(name):
    """The same of each file."""
    assert damage(lambda record: record["written"][0].pop(name)).startswith(f"{name} is missing")


def test_bytes_that_are_no_record_are_told():
    """What is wrong with the bytes themselves is told by its kind."""
    for data, kind in [(b"{", "JSONDecodeError"), (b"\xff", "UnicodeDecodeError")]:
        with pytest.raises(Damaged) as caught:
            decode(data)
        assert str(caught.value) == f"it is not JSON: {kind}"
    with pytest.raises(Damaged, match=r"^it holds something that is not an object$"):
        decode(b"[]")


@pytest.mark.parametrize(
    "values",
    [
        {"floating": True},
        {"environment": "prod", "result": "kept"},
        {"written": {"/a": Written(path="/a", sha256="0" * 64, mode=0o7777, uid=2**32 - 2)}},
        {"written": {"/a": Written(path="/a", sha256="0" * 64, mode=0, gid=2**32 - 2)}},
        {"written": {"/a": Written(path="/a", sha256="0" * 64, ours=False, follow=True)}},
        {"written": {"/a": Written(path="/a", sha256="0" * 64, source="vault", acl="D:P")}},
        {"written": {"/a": Written(path="/a", sha256="0" * 64, attributes={})}},
    ],
)
def test_each_value_is_remembered(values):
    """Every field, at its ends too, is read as it was written."""
    state = State(vm_id="x", **values)
    assert decode(encode(state)) == state


def test_a_record_is_plain_to_read():
    """A person finds one field a line, the mode as chmod takes it, and no empty field."""
    lines = encode(FULL).decode("ascii").split("\n")
    assert lines[:3] == ["{", ' "schema": 1,', f' "vm_id": "{FULL.vm_id}",']
    assert '   "mode": "0640",' in lines
    assert not any('"acl"' in line for line in lines)
    assert lines[-2:] == ["}", ""]
    sealed = Written(path="/a", sha256="0" * 64, acl="D:P")
    assert b'"acl": "D:P"' in encode(State(vm_id="x", written={"/a": sealed}))
