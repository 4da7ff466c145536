from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.http.retry import PermanentError
from bootstrap.identity import arc_key
from bootstrap.identity.arc_key import MAX_KEY, TOKENS, read_key, realm_of

CASES = sorted((Path(__file__).parent / "cases" / "challenge").glob("*.txt"))
REALM = f"{TOKENS}/0a1b.key"
KEY = "a2V5LWNhbmFyeQ=="


@pytest.fixture
def root(tmp_path):
    """A machine on which the agent has written one key."""
    folder = tmp_path / TOKENS.lstrip("/")
    folder.mkdir(parents=True)
    (folder / "0a1b.key").write_text(KEY)
    return tmp_path


@pytest.fixture
def key_file(root):
    return root / REALM.lstrip("/")


def refused(realm, root):
    """Why the key file is refused; its content is not part of it."""
    with pytest.raises(PermanentError) as caught:
        read_key(realm, str(root))
    assert "canary" not in str(caught.value).lower()
    assert KEY not in str(caught.value)
    assert caught.value.outcome == "key-file"
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_challenge_names_one_file_or_is_refused(case):
    """The first word of the case's name says which; a second challenge is never a choice."""
    challenge = case.read_text()
    if case.stem.startswith("ok"):
        assert realm_of(challenge) == REALM
        return
    with pytest.raises(PermanentError, match="does not name a key file"):
        realm_of(challenge)


@given(st.text('Basic realm="/,.key\r\n\0é', max_size=40))
def test_no_challenge_brings_the_reader_down(text):
    """Whatever stands in the header: a plain name, or a refusal."""
    for challenge in (text, f"Basic realm={text}"):
        try:
            file = realm_of(challenge)
        except PermanentError:
            continue
        assert file.isprintable()
        assert file
        assert not set(file) & set('",')


def test_the_content_is_the_key_as_it_is(root):
    """Nothing is trimmed or decoded, and it does not show."""
    key = read_key(REALM, str(root))
    assert key.reveal() == KEY
    assert KEY not in f"{key} {key!r}"


@pytest.mark.parametrize("size", [1, MAX_KEY])
def test_a_key_may_have_up_to_4096_bytes(root, key_file, size):
    """The limit itself is allowed."""
    key_file.write_text("k" * size)
    assert read_key(REALM, str(root)).reveal() == "k" * size


@pytest.mark.parametrize(
    "realm",
    [
        "/etc/shadow",
        "/etc/0a1b.key",
        "0a1b.key",
        "./0a1b.key",
        f"{TOKENS}/../tokens/0a1b.key",
        f"{TOKENS}/./0a1b.key",
        f"{TOKENS}//0a1b.key",
        f"{TOKENS}/below/0a1b.key",
        f"{TOKENS}2/0a1b.key",
        f"/{TOKENS}/0a1b.key",
        f"{TOKENS}/",
        f"{TOKENS}/..",
        f"{TOKENS}/.key",
        f"{TOKENS}/0a1b.key/",
        f"{TOKENS}/0a1b",
        f"{TOKENS}/0a1b.KEY",
        f"{TOKENS}/0a1b.key.txt",
        f"file://{REALM}",
        TOKENS.upper() + "/0a1b.key",
    ],
)
def test_a_file_elsewhere_is_refused_by_its_name(root, realm):
    """Only `*.key` directly in the agent's folder: no other folder, no `..`, no other spelling."""
    assert f"is not a *.key directly in {TOKENS}" in refused(realm, root)


def test_a_link_is_refused(root, key_file):
    """A name in the right folder must not lead to a file in another."""
    other = root / "shadow"
    other.write_text("canary")
    key_file.unlink()
    key_file.symlink_to(other)
    assert "is a link" in refused(REALM, root)


def test_a_folder_that_is_a_link_is_refused(root, key_file):
    """Nor may the folder itself lead elsewhere."""
    folder = key_file.parent
    moved = root / "elsewhere"
    folder.rename(moved)
    folder.symlink_to(moved)
    assert "cannot be opened" in refused(REALM, root)


def test_a_hard_link_is_refused(root, key_file):
    """A second name for root's own file is a link too."""
    os.link(key_file, root / "shadow")
    assert "hard link" in refused(REALM, root)


def test_a_fifo_is_refused_without_waiting_for_a_writer(root, key_file):
    """Opening it does not hang, and it is no regular file."""
    key_file.unlink()
    os.mkfifo(key_file)
    reasons = []
    asking = threading.Thread(target=lambda: reasons.append(refused(REALM, root)), daemon=True)
    asking.start()
    asking.join(5)
    assert reasons, "the agent waits for a writer"
    assert "not a regular file" in reasons[0]


def test_a_folder_in_the_place_of_the_file_is_refused(root, key_file):
    """A folder can be opened, and is no key."""
    key_file.unlink()
    key_file.mkdir()
    assert "not a regular file" in refused(REALM, root)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a device")
def test_a_device_is_refused(root, key_file):
    """Reading /dev/zero would have no end."""
    key_file.unlink()
    try:
        os.mknod(key_file, 0o20600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no devices here")
    # Where devices cannot be opened at all, that is the refusal.
    assert any(why in refused(REALM, root) for why in ("not a regular file", "may not be read"))


@pytest.mark.parametrize("size", [MAX_KEY + 1, 1 << 33])
def test_a_huge_file_is_refused_without_reading_it(root, key_file, size):
    """A byte too many, or eight gigabytes of them."""
    with key_file.open("wb") as file:
        file.truncate(size)
    started = time.monotonic()
    assert "larger than 4096 bytes" in refused(REALM, root)
    assert time.monotonic() - started < 5


def test_a_file_whose_size_lies_is_refused(tmp_path, root):
    """The size that the file system tells is not believed: some files tell 0 and have content."""
    if not Path("/proc/kallsyms").exists():
        pytest.skip("no /proc/kallsyms")
    with (
        Path("/proc/kallsyms").open("rb") as file,
        pytest.raises(PermanentError, match="larger than 4096"),
    ):
        arc_key._content(REALM, file.fileno())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"canary\r\nX-Forwarded-For: 1.2.3.4", "cannot stand in a header"),
        (b"canary\n", "cannot stand in a header"),
        (b"canary\0", "cannot stand in a header"),
        (b"canary\xe9", "cannot stand in a header"),
        ("canary…".encode(), "cannot stand in a header"),
        (b"canary\x7f", "cannot stand in a header"),
    ],
)
def test_a_content_that_would_alter_the_request_is_refused(root, key_file, content, why):
    """No line end, no control character, nothing beyond ASCII; and nothing of it is shown."""
    key_file.write_bytes(content)
    assert why in refused(REALM, root)


def test_a_file_that_is_not_there_is_refused(root):
    """The real agent writes the file before it names it."""
    assert "No such file" in refused(f"{TOKENS}/other.key", root)


def test_a_machine_without_the_folder_refuses(tmp_path):
    """No folder, no key, and no other place to look."""
    assert "No such file" in refused(REALM, tmp_path)


def test_who_may_not_read_it_is_told_which_group_may(root, key_file):
    """The key belongs to the group himds; the hint says so."""
    if os.geteuid() != 0:
        key_file.chmod(0)
        error = catch(root)
    else:  # root may read everything: the question is asked as somebody else
        key_file.chmod(0o600)
        for folder in [root, *root.parents]:
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o711)
        os.seteuid(65534)
        try:
            error = catch(root)
        finally:
            os.seteuid(0)
    assert "may not be read" in str(error)
    assert error.outcome == "key-file"
    assert "group himds" in error.hint


def catch(root):
    with pytest.raises(PermanentError) as caught:
        read_key(REALM, str(root))
    return caught.value


def swapping(monkeypatch, swap, *, before=None, after=None):
    """Swap something on the disk right before, or right after, the n-th file is opened."""
    real, count = os.open, [0]

    def spied(path, flags, *rest, **how):
        count[0] += 1
        if count[0] == before:
            swap()
        descriptor = real(path, flags, *rest, **how)
        if count[0] == after:
            swap()
        return descriptor

    monkeypatch.setattr(os, "open", spied)
    return count


def test_a_folder_swapped_between_the_two_opens_changes_nothing(root, key_file, monkeypatch):
    """The file is opened below the folder that was checked, wherever its name leads by then."""
    folder = key_file.parent

    def swap():
        folder.rename(root / "aside")
        (root / "evil").mkdir()
        (root / "evil" / "0a1b.key").write_text("canary")
        folder.symlink_to(root / "evil")

    opened = swapping(monkeypatch, swap, before=2)
    assert read_key(REALM, str(root)).reveal() == KEY
    assert opened == [2]


def test_a_file_swapped_for_a_link_before_it_is_opened_is_refused(root, key_file, monkeypatch):
    """Between the check of the name and the open there is no moment that helps."""

    def swap():
        (root / "shadow").write_text("canary")
        key_file.unlink()
        key_file.symlink_to(root / "shadow")

    swapping(monkeypatch, swap, before=2)
    assert "is a link" in refused(REALM, root)


@pytest.mark.parametrize("kind", ["link", "huge", "fifo"])
def test_a_file_swapped_after_it_was_opened_changes_nothing(root, key_file, monkeypatch, kind):
    """What was opened is what is checked and read: the file is opened once."""

    def swap():
        key_file.unlink()
        if kind == "link":
            key_file.symlink_to("/etc/shadow")
        elif kind == "huge":
            key_file.write_bytes(b"k" * 100_000)
        else:
            os.mkfifo(key_file)

    opened = swapping(monkeypatch, swap, after=2)
    assert read_key(REALM, str(root)).reveal() == KEY
    assert opened == [2]


def test_a_file_that_grows_after_it_was_opened_is_refused(root, key_file, monkeypatch):
    """No more than the limit is read, whatever the size was."""
    real = os.fstat

    def grown(descriptor):
        status = real(descriptor)
        with key_file.open("ab") as file:
            file.write(b"k" * MAX_KEY)
        return status

    monkeypatch.setattr(os, "fstat", grown)
    assert "larger than 4096 bytes" in refused(REALM, root)


def test_no_file_stays_open(root, key_file):
    """Neither a key nor a refusal leaves a descriptor behind."""
    before = os.listdir("/proc/self/fd")
    for _ in range(10):
        read_key(REALM, str(root))
        refused(f"{TOKENS}/other.key", root)
    key_file.write_bytes(b"")
    for _ in range(10):
        refused(REALM, root)
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize(
    ("challenge", "file"),
    [
        ("Basic realm=/a/b.key", "/a/b.key"),
        ("BASIC REALM=/a/b.key", "/a/b.key"),
        ("basic  realm = /a/b.key ", "/a/b.key"),
        ('Basic realm="/a/b.key"', "/a/b.key"),
        ('Basic realm= "/a/b.key" ', "/a/b.key"),
        ("Basic realm=/a/b=c.key", "/a/b=c.key"),
        ("Basic realm=/a b.key", "/a b.key"),
        ('Basic realm="/"', "/"),
        ("Basic realm=k", "k"),
        ("Basic realm=/X.key", "/X.key"),
    ],
)
def test_a_realm_is_taken_as_it_is_named(challenge, file):
    """Blanks and a pair of quotes around it are not part of it."""
    assert realm_of(challenge) == file


@pytest.mark.parametrize(
    "challenge",
    [
        "Basic",
        "Basic realm",
        "Basic realm=",
        'Basic realm=""',
        'Basic realm="',
        'Basic realm="/a.key',
        'Basic realm=/a.key"',
        'Basic realm=""/a.key""',
        "Basic realm='/a.key',x",
        "Basic charset=utf-8",
        "Digest realm=/a.key",
        "Basic realm=/a\x7f.key",
        "Basic realm=/é.key",
        "realm=/a.key",
    ],
)
def test_any_other_challenge_is_final(challenge):
    """The words and the hint say that no agent of Azure Arc sends it; it is not repeated."""
    with pytest.raises(PermanentError) as caught:
        realm_of(challenge)
    assert caught.value.outcome == "challenge"
    assert str(caught.value) == "sent a challenge that does not name a key file"
    assert "ss -ltnp" in caught.value.hint


def test_the_limits_are_those_of_azure_arc():
    """A file that ends in `.key` in the agent's own folder, of at most four kilobytes."""
    assert (TOKENS, arc_key.SUFFIX, MAX_KEY) == ("/var/opt/azcmagent/tokens", ".key", 4096)


def test_a_refusal_names_the_file_and_sends_nothing(root, key_file):
    """The sentence goes on from the name of the service; a long name is cut."""
    key_file.write_bytes(b"")
    words = f"named the key file '{REALM}', which is empty; nothing of it was sent"
    assert refused(REALM, root) == words
    assert f"'{'x' * 200}…', which is not a *.key" in refused("x" * 500, root)


def test_without_another_root_it_is_the_machines_own_folder(monkeypatch):
    """The folder is looked for where Azure Arc has it."""
    opened = []

    def nothing(path, *_, **__):
        opened.append(path)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "open", nothing)
    with pytest.raises(PermanentError, match="No such file"):
        read_key(REALM)
    assert opened == [TOKENS]


def test_every_refusal_has_its_hint(root, key_file):
    """A distrusted file has another cure than one that may not be read."""
    key_file.unlink()
    assert "IDENTITY_ENDPOINT" in catch(root).hint
    key_file.symlink_to("/etc/shadow")
    assert "IDENTITY_ENDPOINT" in catch(root).hint


@pytest.mark.parametrize("content", ["k", " k ~!", "A" * MAX_KEY])
def test_every_printable_text_of_ascii_is_a_key(root, key_file, content):
    """From a blank to a tilde, nothing is trimmed and nothing refused."""
    key_file.write_text(content)
    assert read_key(REALM, str(root)).reveal() == content
