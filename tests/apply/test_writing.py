"""What is done to one file: what an error leaves, what is refused, and that nothing stays open."""

from __future__ import annotations

import errno
import os
import signal
import stat
from contextlib import contextmanager, suppress

import pytest

from bootstrap.fs import atomic, read, write
from bootstrap.fs.path import resolve

OWN = read.own_access(0o600)


@pytest.fixture
def place(machine):
    """The place of a path below the root, links on the way followed."""
    return lambda path: resolve(path, str(machine.root))


def opened():
    """The descriptors of this process."""
    return set(os.listdir("/proc/self/fd"))


@contextmanager
def nothing_stays_open():
    """Every descriptor that is opened is closed again."""
    before = opened()
    yield
    assert opened() == before


ACTS = {
    "write": lambda place: write.write(place("/etc/new"), b"x", OWN),
    "overwrite": lambda place: write.overwrite(place("/etc/a"), b"x", OWN),
    "append": lambda place: write.append(place("/etc/a"), b"x"),
    "shorten": lambda place: write.shorten(place("/etc/a"), 1),
    "rename": lambda place: write.rename(place("/etc/a"), "b"),
    "link": lambda place: write.link(place("/etc/a"), "b"),
    "keep": lambda place: write.save_original(place("/etc/a"), "b"),
    "remove": lambda place: write.remove(place("/etc/a")),
    "make_folder": lambda place: write.make_folder(place("/etc/new")),
    "remove_folder": lambda place: write.remove_folder(place("/etc/a")),
    "write_link": lambda place: write.write_link(place("/etc/new"), "x"),
    "sync": lambda place: write.sync(place("/etc/a")),
    "read": lambda place: read.read(place("/etc/a"), 10),
}


@pytest.mark.parametrize("act", ACTS)
def test_nothing_stays_open(machine, place, act):
    """A run that writes thousands of files has as many descriptors as one that writes one."""
    machine.put("/etc/a", "old\n")
    with nothing_stays_open():
        ACTS[act](place)


@pytest.mark.parametrize("act", ["write", "overwrite", "append", "shorten", "sync"])
def test_nothing_stays_open_after_an_error(machine, place, monkeypatch, act):
    """An error on the way closes what was opened for it."""
    machine.put("/etc/a", "old\n")

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with nothing_stays_open(), suppress(OSError):
        ACTS[act](place)
        pytest.fail("it has not been flushed")


@pytest.mark.parametrize("act", ["overwrite", "append", "shorten", "read"])
@pytest.mark.parametrize("on_the_way", [True, False])
def test_no_link_is_written_through(machine, place, act, on_the_way):
    """A link that takes a file's or a folder's place after it was looked at leads nowhere."""
    machine.put("/etc/a", "old\n", 0o600)
    there = place("/etc/a")
    outside = machine.put("/outside/a", "outside\n")
    if on_the_way:
        machine.path("/etc").rename(machine.path("/was"))
        machine.path("/etc").symlink_to("outside")
    else:
        machine.path("/etc/a").unlink()
        machine.path("/etc/a").symlink_to(outside)
    with nothing_stays_open(), pytest.raises(OSError, match=r"\[Errno") as caught:
        ACTS[act](lambda _: there)
    assert caught.value.errno in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}
    assert outside.read_text() == "outside\n"


@pytest.fixture
def in_time():
    """End what waits for ever."""

    def late(*_):
        raise TimeoutError("it waits for somebody at the other end")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(5)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("reader", [True, False])
def test_a_pipe_is_not_written_over(machine, place, reader):
    """A pipe without a reader would hang the boot, and one with a reader takes the content."""
    machine.path("/etc").mkdir()
    os.mkfifo(machine.path("/etc/a"), 0o600)
    end = os.open(machine.path("/etc/a"), os.O_RDONLY | os.O_NONBLOCK) if reader else None
    with nothing_stays_open(), pytest.raises(OSError, match=r"\[Errno") as caught:
        write.overwrite(place("/etc/a"), b"x", OWN)
    if reader:
        assert "something else was put in its place" in str(caught.value)
        assert os.read(end, 10) == b""
        os.close(end)
    else:
        assert caught.value.errno == errno.ENXIO


def test_a_second_name_is_not_written_over(machine, place):
    """A file with another name keeps its content; the error says why, and where."""
    other = machine.put("/etc/other", "other\n")
    os.link(other, machine.path("/etc/a"))
    with nothing_stays_open(), pytest.raises(OSError, match="it has another name") as caught:
        write.overwrite(place("/etc/a"), b"x", OWN)
    assert caught.value.errno == errno.EMLINK
    assert caught.value.strerror == "it has another name, under which it would be written, too"
    assert caught.value.filename == str(machine.path("/etc/a"))
    assert other.read_text() == "other\n"


def test_a_file_that_is_swapped_while_it_is_opened_is_not_written_over(machine, place, monkeypatch):
    """What was looked at and what was opened have to be one file."""
    machine.put("/etc/a", "old\n")
    another = machine.put("/etc/another", "another\n")
    real = os.lstat

    def swap(name, **arguments):
        found = real(name, **arguments)
        if name == "a" and another.exists():
            another.rename(machine.path("/etc/a"))
        return found

    monkeypatch.setattr(os, "lstat", swap)
    with nothing_stays_open(), pytest.raises(OSError, match="something else was put") as caught:
        write.overwrite(place("/etc/a"), b"x", OWN)
    assert caught.value.strerror == "something else was put in its place"
    assert machine.path("/etc/a").read_text() == "another\n"


@pytest.mark.parametrize("late", ["before", "after"])
def test_a_second_name_of_one_moment_is_noticed(machine, place, monkeypatch, late):
    """The other name may have come or gone between the look and the opening."""
    path = machine.put("/etc/a", "old\n")
    other = machine.path("/etc/other")
    if late == "before":
        os.link(path, other)
    real = os.lstat

    def lstat(name, **arguments):
        found = real(name, **arguments)
        if name == "a":
            other.unlink() if late == "before" else os.link(path, other)
        return found

    monkeypatch.setattr(os, "lstat", lstat)
    with nothing_stays_open(), pytest.raises(OSError, match="it has another name"):
        write.overwrite(place("/etc/a"), b"x", OWN)
    assert path.read_text() == "old\n"


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(("present", "wanted"), [(0o644, 0o600), (0o600, 0o644), (0o642, 0o604)])
def test_a_file_is_written_over_with_no_wider_mode_than_asked(
    machine, place, monkeypatch, present, wanted
):
    """Rights that go are gone before the content comes, and new ones come after it."""
    path = machine.put("/etc/a", "a longer old content\n", present)
    seen = []

    def note(name, real):
        def call(descriptor, *arguments):
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                seen.append((name, stat.S_IMODE(os.fstat(descriptor).st_mode)))
            return real(descriptor, *arguments)

        monkeypatch.setattr(os, name, call)

    for name in ("write", "ftruncate", "fchown", "fsync"):
        note(name, getattr(os, name))
    write.overwrite(place("/etc/a"), b"new\n", read.Access(wanted, 7, 8))
    narrow = present & wanted
    assert seen == [
        ("fchown", narrow),
        ("write", narrow),
        ("ftruncate", narrow),
        ("fsync", wanted),
    ]
    status = path.stat()
    assert (path.read_text(), stat.S_IMODE(status.st_mode)) == ("new\n", wanted)
    assert (status.st_uid, status.st_gid) == (7, 8)


def test_an_owner_that_is_right_is_not_set(machine, as_root, place, monkeypatch):
    """Setting an owner clears a set-user-ID bit, and needs a right that a run may lack."""
    machine.put("/etc/a", "old\n", 0o600)

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    write.overwrite(place("/etc/a"), b"new\n", OWN)
    write.write(place("/etc/b"), b"new\n", OWN)
    for access in (read.Access(0o600, 7, 0), read.Access(0o600, 0, 7)):
        with pytest.raises(PermissionError):
            write.write(place("/etc/c"), b"new\n", access)
    assert sorted(os.listdir(machine.path("/etc"))) == ["a", "b"]


def test_what_the_system_takes_in_pieces_is_written_whole(machine, place, monkeypatch):
    """A write may take less than it is given."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, content: real(file, content[:3]))
    write.write(place("/a"), b"0123456789", OWN)
    write.append(place("/a"), b"abcdefgh")
    assert machine.path("/a").read_bytes() == b"0123456789abcdefgh"
    write.shorten(place("/a"), 12)
    assert machine.path("/a").read_bytes() == b"0123456789ab"


CANNOT = [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV]


@pytest.mark.parametrize("number", [*CANNOT, errno.EIO, errno.ENOSPC, errno.EROFS, errno.EEXIST])
@pytest.mark.parametrize("thing", ["file", "link"])
def test_what_cannot_have_a_second_name_is_copied(machine, place, monkeypatch, number, thing):
    """A copy is made only where the system says that there are no hard links for it."""
    path = machine.put("/etc/a", "old\n", 0o640)
    if thing == "link":
        path.unlink()
        path.symlink_to("somewhere")

    def refuse(*names, **folders):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    copy = machine.path("/etc/b")
    if number not in CANNOT:
        with pytest.raises(OSError, match=r"\[Errno") as caught:
            write.save_original(place("/etc/a"), "b")
        assert caught.value.errno == number
        assert not os.path.lexists(copy)
        return
    write.save_original(place("/etc/a"), "b")
    if thing == "link":
        assert os.readlink(copy) == "somewhere"
    else:
        assert (copy.read_text(), stat.S_IMODE(copy.stat().st_mode)) == ("old\n", 0o640)


def test_a_large_file_is_copied_whole(machine, place, monkeypatch):
    """It is read in pieces, and the copy is the same."""

    def refuse(*names, **folders):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    old = "0123456789abcdef" * (read.CHUNK // 8)
    machine.put("/a", old)
    write.save_original(place("/a"), "b")
    assert machine.path("/b").read_text() == old


def test_what_is_gone_cannot_be_copied(machine, place, monkeypatch):
    """It is missing, as it would be for a link."""

    def refuse(*names, **folders):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(FileNotFoundError) as caught:
        write.save_original(place("/a"), "b")
    assert caught.value.errno == errno.ENOENT
    assert caught.value.strerror == "No such file or directory"
    assert caught.value.filename == str(machine.path("/a"))


def test_a_second_name_is_that_of_the_link_itself(machine, place):
    """What a link points to is not what was there."""
    machine.put("/real", "x")
    machine.path("/a").symlink_to("real")
    write.link(place("/a"), "b")
    assert os.readlink(machine.path("/b")) == "real"


def test_removing_says_what_it_cannot(machine, place, monkeypatch):
    """What is gone is removed; any other trouble is told."""
    machine.put("/a", "x")
    numbers = [errno.ENOENT, errno.ENAMETOOLONG, errno.EIO]

    def refuse(*names, **folders):
        raise OSError(numbers[0], os.strerror(numbers[0]))

    monkeypatch.setattr(os, "unlink", refuse)
    write.remove(place("/a"))
    numbers.pop(0)
    write.remove(place("/a"))
    numbers.pop(0)
    with pytest.raises(OSError, match="Input/output error"):
        write.remove(place("/a"))
    write.remove(place("/none"))


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_the_umask_is_as_it_was(machine, place, umask, mask):
    """A folder has exactly its mode, and whoever comes after it the umask that was there."""
    umask(mask)
    assert write.make_folder(place("/a"), 0o2750)
    assert umask(mask) == mask
    assert not write.make_folder(place("/a"), 0o700)
    assert umask(mask) == mask
    assert write.make_folder(place("/b"))
    assert stat.S_IMODE(machine.path("/a").stat().st_mode) & 0o777 == 0o750
    assert stat.S_IMODE(machine.path("/b").stat().st_mode) == 0o755


def test_only_an_empty_folder_is_removed(machine, place):
    """What somebody has put into a folder of ours stays, and so does a file in its place."""
    machine.put("/a/b", "x")
    write.remove_folder(place("/a"))
    write.remove_folder(place("/a/b"))
    write.remove_folder(place("/none"))
    assert machine.path("/a/b").read_text() == "x"
    machine.path("/a/b").unlink()
    write.remove_folder(place("/a"))
    assert not machine.path("/a").exists()


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("swapped", ["", "full", "theirs"])
def test_a_folder_is_handed_over_to_the_owner_of_its_parent(machine, place, monkeypatch, swapped):
    """Only an empty one of our own is given away: another may have been put in its place."""
    parent = machine.path("/srv")
    parent.mkdir()
    os.chown(parent, 1234, 77)
    mkdir = os.mkdir

    def make(name, mode, *, dir_fd):
        mkdir(name, mode, dir_fd=dir_fd)
        if swapped == "full":
            (parent / "a/secret").write_text("root's\n")
        elif swapped == "theirs":
            os.chown(parent / "a", 999, 0)

    monkeypatch.setattr(os, "mkdir", make)
    with nothing_stays_open():
        if not swapped:
            assert write.make_folder(place("/srv/a"))
        else:
            # That there is a folder already is no error of the run; that it is not ours is seen.
            assert not write.make_folder(place("/srv/a"))
    status = (parent / "a").stat()
    owners = {"": (1234, 77), "full": (0, 0), "theirs": (999, 0)}
    assert (status.st_uid, status.st_gid) == owners[swapped]


def test_a_lock_is_not_taken_through_a_link(machine, place):
    """A link in the place of the lock would make a file elsewhere, or lock another one."""
    machine.path("/lock").symlink_to("elsewhere")
    with nothing_stays_open(), pytest.raises(OSError, match=r"\[Errno") as caught:
        write.try_lock(place("/lock"), 0o600)
    assert caught.value.errno == errno.ELOOP
    assert os.listdir(machine.root) == ["lock"]


def test_a_lock_is_one_process_at_a_time(machine, place):
    """Whoever comes second gets nothing, and keeps nothing open."""
    first = write.try_lock(place("/lock"), 0o600)
    assert stat.S_IMODE(machine.path("/lock").stat().st_mode) == 0o600
    with nothing_stays_open():
        assert write.try_lock(place("/lock"), 0o600) is None
    os.close(first)
    second = write.try_lock(place("/lock"), 0o600)
    assert second is not None
    os.close(second)


@pytest.mark.parametrize("harm", ["gone", "another"])
def test_a_lock_that_has_lost_its_name_is_nobodys(machine, place, monkeypatch, harm):
    """Whoever has locked a file that is gone has not locked out those who find the next one."""
    import fcntl

    flock = fcntl.flock

    def lose(descriptor, how):
        flock(descriptor, how)
        machine.path("/lock").unlink()
        if harm == "another":
            machine.path("/lock").touch()

    monkeypatch.setattr(fcntl, "flock", lose)
    with nothing_stays_open():
        assert write.try_lock(place("/lock"), 0o600) is None


def test_an_own_file_is_written_only_if_it_differs(machine):
    """The same content and access touches nothing; anything else is put right."""
    root = str(machine.root)
    path = machine.path("/a")
    assert atomic.write_file("/a", b"one", mode=0o600, root=root)
    number = path.stat().st_ino
    assert not atomic.write_file("/a", b"one", mode=0o600, root=root)
    assert path.stat().st_ino == number
    for content, mode in [(b"two", 0o600), (b"twofold", 0o600), (b"two", 0o600), (b"two", 0o644)]:
        assert atomic.write_file("/a", content, mode=mode, root=root)
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (content, mode)
    assert os.listdir(machine.root) == ["a"]


def test_an_own_file_takes_the_place_of_a_link(machine):
    """What a link in its place leads to is neither read nor written."""
    other = machine.put("/other", "one", 0o600)
    machine.path("/a").symlink_to("other")
    assert atomic.write_file("/a", b"one", mode=0o600, root=str(machine.root))
    assert not machine.path("/a").is_symlink()
    assert other.read_text() == "one"


@pytest.mark.parametrize("swept", [True, False])
def test_what_a_dead_write_has_left_goes(machine, swept):
    """It is swept by itself, or by the next write; nothing else is."""
    root = str(machine.root)
    left = machine.put("/lib/.a.imds-bootstrap-new", "half")
    machine.put("/lib/.b.imds-bootstrap-new", "another's")
    if swept:
        atomic.sweep("/lib/a", root=root)
    else:
        atomic.write_file("/lib/a", b"whole", mode=0o600, root=root)
    assert not left.exists()
    assert machine.path("/lib/.b.imds-bootstrap-new").exists()
    atomic.sweep("/lib/a", root=root)
    atomic.sweep("/none/a", root=root)


OWN_FILES = {
    "write": lambda root: atomic.write_file("/a", b"one", mode=0o600, root=root),
    "point": lambda root: atomic.write_pointer("/a", "target", root=root),
}


@pytest.mark.parametrize("act", OWN_FILES)
def test_an_own_file_that_cannot_get_its_name_leaves_none(machine, act):
    """What was staged for it goes with the error."""
    machine.put("/a/in-the-way", "x")
    with pytest.raises(IsADirectoryError):
        OWN_FILES[act](str(machine.root))
    assert os.listdir(machine.root) == ["a"]


def test_an_own_link_is_made_only_if_it_differs(machine):
    """The same name again touches nothing; what else is there is replaced."""
    root = str(machine.root)
    machine.put("/a", "a file")
    for target, made in [("one", True), ("one", False), ("two", True), ("two", False)]:
        assert atomic.write_pointer("/a", target, root=root) is made
        assert os.readlink(machine.path("/a")) == target


def test_forgetting_says_whether_there_was_anything(machine):
    """A file, a link, or a folder with all that is in it."""
    root = str(machine.root)
    machine.put("/folder/deep/a", "x")
    machine.put("/file", "x")
    machine.path("/link").symlink_to("kept")
    machine.put("/kept", "x")
    for path in ("/folder", "/file", "/link"):
        assert atomic.remove_tree(path, root=root) is True
        assert atomic.remove_tree(path, root=root) is False
    assert os.listdir(machine.root) == ["kept"]


def test_names_in_what_is_no_folder(machine):
    """There are none in a file, or in what is not there; a link on the way is followed."""
    root = str(machine.root)
    machine.put("/folder/a", "x")
    machine.path("/link").symlink_to("folder")
    found = [atomic.names(path, root=root) for path in ("/folder", "/link", "/folder/a", "/no")]
    assert found == [["a"], ["a"], [], []]


def test_own_folders_have_their_modes(machine, umask):
    """The last one has the mode that is asked for, those above it the usual one."""
    root = str(machine.root)
    umask(0o077)
    atomic.make_folders("/a/b/c", 0o700, root=root)
    modes = [stat.S_IMODE(machine.path(path).stat().st_mode) for path in ("/a", "/a/b", "/a/b/c")]
    assert modes == [0o755, 0o755, 0o700]
    machine.path("/link").symlink_to("a/b")
    atomic.make_folders("/link/d", 0o750, root=root)
    assert stat.S_IMODE(machine.path("/a/b/d").stat().st_mode) == 0o750
