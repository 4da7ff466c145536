"""The journal: what is in it, who can read it, and what is made of one that is not whole."""

from __future__ import annotations

import json
import os
import stat

import pytest

from bootstrap.apply.transaction import journal as journals
from bootstrap.apply.transaction.journal import Damaged, Journal
from bootstrap.apply.transaction.journal_entry import Entry

PATH = "/var/lib/agent/journal.json"
ENTRIES = (
    Entry(kind="create", path="srv/a", staged="srv/.a"),
    Entry(kind="overwrite", path="etc/b", kept="etc/.b", mounted=True, sha256="0", mode=0o640),
    Entry(kind="replace", path="etc/c", staged="etc/.c", kept="etc/.c~", backup=True),
)
FOLDERS = ("srv",)
MEMO = {"mine": [1]}


@pytest.fixture
def journal(machine):
    return Journal(PATH, str(machine.root))


@pytest.fixture
def file(machine):
    return machine.path(PATH)


@pytest.fixture
def line():
    """The first line of a journal as JSON, with some fields of its own."""

    def make(**fields):
        intent = {"schema": 1, "changes": [], "folders": [], "memo": {}} | fields
        return json.dumps(intent).encode() + b"\n"

    return make


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_only_root_can_read_it(journal, file):
    """It tells of files that not everybody may see, and its folder is made for it."""
    before = os.umask(0)
    try:
        journal.begin(ENTRIES, FOLDERS, MEMO)
        journal.prepare([1, 2, 3])
        journal.commit()
        assert (mode(file), mode(file.parent)) == (0o600, 0o700)
        assert (file.stat().st_uid, file.stat().st_gid) == (os.geteuid(), os.getegid())
        journal.set_aside("corrupt-now")
    finally:
        os.umask(before)
    assert mode(file.with_name("journal.json.corrupt-now")) == 0o600
    assert os.listdir(file.parent) == ["journal.json.corrupt-now"]


def test_what_is_told_is_what_was_written(journal):
    """Each line adds its part: what is to be done, the numbers of the files, and the last word."""
    assert journal.read() is None
    journal.begin(ENTRIES, FOLDERS, MEMO)
    story = journal.read()
    assert (story.phase, story.entries, story.folders, story.next_state) == (
        "intent",
        ENTRIES,
        FOLDERS,
        MEMO,
    )
    assert story.inodes == (0, 0, 0)
    journal.prepare([1, 2, 3])
    story = journal.read()
    # Another process knows a new file by its content: its number may be another's by now.
    assert (story.phase, story.entries, story.inodes) == ("prepared", ENTRIES, (0, 2, 0))
    journal.commit()
    story = journal.read()
    assert (story.phase, story.entries, story.inodes) == ("committed", ENTRIES, (0, 2, 0))
    assert (story.folders, story.next_state) == (FOLDERS, MEMO)
    journal.remove()
    assert journal.read() is None


def test_a_journal_in_the_way_is_not_written_over(journal, file):
    """What an earlier run has left is its own to settle."""
    journal.begin(ENTRIES, FOLDERS, MEMO)
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        journal.begin((), (), {})
    assert file.read_bytes() == before


def test_a_journal_that_was_not_finished_says_nothing(journal, file, line):
    """It is born without any right, and gets its own when its first line is on the disk."""
    file.parent.mkdir(parents=True)
    file.write_bytes(line()[:10])
    file.chmod(0)
    story = journal.read()
    assert (story.phase, story.entries, story.folders, story.next_state) == ("nothing", (), (), {})


@pytest.mark.parametrize("data", [b"", b"{", b"\n", b"\nx\n"])
def test_no_first_line_is_no_commit(journal, file, data):
    """Nothing was begun that could be undone."""
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    assert journal.read().phase == "nothing"


@pytest.mark.parametrize(
    ("second", "inodes"),
    [
        (b'{"prepared": [7]}', (7,)),
        (b'{"prepared": []}', (0,)),
        (b'{"prepared": [7, 8]}', (0,)),
        (b'{"prepared": 7}', (0,)),
        (b'{"other": [7]}', (0,)),
        (b"[7]", (0,)),
        (b"7", (0,)),
        (b"x", (0,)),
        (b"\xff", (0,)),
        (b"[" * 100_000, (0,)),
        (b"", (0,)),
    ],
)
def test_a_second_line_that_says_no_numbers(journal, file, line, second, inodes):
    """That it is there says that names may have changed; which files they are it may not say."""
    entry = {"kind": "overwrite", "path": "etc/b", "kept": "etc/.b"}
    file.parent.mkdir(parents=True)
    file.write_bytes(line(changes=[entry]) + second + b"\n")
    story = journal.read()
    assert (story.phase, story.inodes) == ("prepared", inodes)


@pytest.mark.parametrize(
    ("lines", "phase"),
    [
        ([], "intent"),
        (['{"prepared": []}'], "prepared"),
        (['{"prepared": []}', '{"committed": true}'], "committed"),
        (['{"prepared": []}', '{"committed": false}'], "prepared"),
        (['{"prepared": []}', "", '{"committed": true}'], "committed"),
        (['{"committed": true}'], "prepared"),  # it was never prepared, and has to be undone
    ],
)
def test_how_far_a_commit_came(journal, file, line, lines, phase):
    """The word that all is done counts from the third line on, and only as it is written."""
    file.parent.mkdir(parents=True)
    file.write_bytes(line() + "".join(f"{one}\n" for one in lines).encode())
    assert journal.read().phase == phase


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"schema": 2}, "its schema is not 1"),
        ({"schema": None}, "its schema is not 1"),
        ({"folders": ["/srv"]}, "it names a folder that is none"),
        ({"folders": ["srv", "a/../b"]}, "it names a folder that is none"),
        ({"folders": [7]}, "it names a folder that is none"),
        ({"folders": 7}, "it does not say what was begun: TypeError"),
        ({"changes": 7}, "it does not say what was begun: TypeError"),
        ({"changes": ["a"]}, "it does not say what was begun: TypeError"),
        ({"changes": [{"kind": "?", "path": "a"}]}, "it does not say what was begun: ValueError"),
        ({"changes": [{"kind": "create", "path": ""}]}, "it does not say what was begun: Value"),
    ],
)
def test_why_a_journal_is_damaged(journal, file, line, fields, reason):
    """The reason is one that a person can follow, and quotes nothing."""
    file.parent.mkdir(parents=True)
    file.write_bytes(line(**fields))
    with pytest.raises(Damaged, match=f"^{reason}"):
        journal.read()


@pytest.mark.parametrize("missing", ["schema", "changes", "folders", "memo"])
def test_a_journal_without_one_of_its_fields_is_damaged(journal, file, line, missing):
    """Every version has written all of them."""
    record = json.loads(line())
    del record[missing]
    file.parent.mkdir(parents=True)
    file.write_bytes(json.dumps(record).encode() + b"\n")
    with pytest.raises(Damaged, match=r"^it does not say what was begun: KeyError$"):
        journal.read()


def test_a_journal_that_is_too_deep_is_damaged(journal, file):
    """No bytes make reading fail in another way."""
    file.parent.mkdir(parents=True)
    file.write_bytes(b"[" * 100_000 + b"\n")
    with pytest.raises(Damaged, match="RecursionError"):
        journal.read()


def test_a_journal_that_is_too_long_is_damaged(journal, file, monkeypatch, line):
    """A file without end is not read into memory; one that is as long as can be is."""
    whole = line()
    file.parent.mkdir(parents=True)
    file.write_bytes(whole)
    monkeypatch.setattr(journals, "MAX_BYTES", len(whole))
    assert journal.read().phase == "intent"
    monkeypatch.setattr(journals, "MAX_BYTES", len(whole) - 1)
    with pytest.raises(Damaged, match=r"^it is too long$"):
        journal.read()


def test_a_folder_is_no_journal(journal, file):
    """What is no file is told as such."""
    file.mkdir(parents=True)
    with pytest.raises(Damaged, match=r"^it is not a regular file$"):
        journal.read()


@pytest.mark.parametrize("word", ["prepare", "commit"])
def test_a_word_that_may_not_last_is_taken_back(journal, file, monkeypatch, word):
    """Exactly what was written before it stays."""
    journal.begin(ENTRIES, FOLDERS, MEMO)
    if word == "commit":
        journal.prepare([1, 2, 3])
    before = file.read_bytes()
    fsync = os.fsync

    def fail_once(descriptor):
        monkeypatch.setattr(os, "fsync", fsync)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(OSError, match="Input/output error"):
        journal.prepare([1, 2, 3]) if word == "prepare" else journal.commit()
    assert file.read_bytes() == before
    journal.prepare([1, 2, 3]) if word == "prepare" else journal.commit()
    assert journal.read().phase == ("prepared" if word == "prepare" else "committed")


def test_where_no_root_is_named_it_is_the_systems_own():
    """Nothing is touched before the journal is begun."""
    assert Journal(PATH).place.path == PATH
    assert Journal(PATH).place.root == "/"
