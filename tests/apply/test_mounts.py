from __future__ import annotations

import errno
import subprocess

import pytest

from bootstrap.errors import CommandFailed, WriteError
from bootstrap.fs.errors import from_os_error


def test_bind_mounted_file_needs_in_place(machine, wanted, mounted, tmp_path):
    """A bind-mounted file cannot be replaced; the error says what to write in the document."""
    source = tmp_path / "source"
    source.write_text("old\n")
    machine.put("/etc/b", "b\n")
    with mounted("--bind", source, machine.put("/etc/hosts", "")):
        with pytest.raises(WriteError) as caught:
            machine.apply(wanted("/etc/b"), wanted("/etc/hosts"))
        assert "in_place: true" in caught.value.problems[0].hint
        assert machine.path("/etc/b").read_text() == "b\n"
        assert sorted(path.name for path in machine.path("/etc").iterdir()) == ["b", "hosts"]

        machine.apply(wanted("/etc/hosts", in_place=True, mode=0o600, owner="1234"))
        assert source.read_text() == "new\n"
        assert (source.stat().st_mode & 0o7777, source.stat().st_uid) == (0o600, 1234)
        assert machine.plan(wanted("/etc/hosts", in_place=True, mode=0o600)).changes == ()


def test_in_place_is_checked_and_rolled_back(machine, wanted, mounted, tmp_path):
    """A file that is written over gets its old content, mode and owner back when a check fails."""
    source = tmp_path / "source"
    source.write_text("a longer old content\n")
    source.chmod(0o640)
    with mounted("--bind", source, machine.put("/etc/hosts", "")):
        before = machine.tree()
        for check in (("false",), ("false", "{path}")):
            with pytest.raises(CommandFailed):
                machine.apply(wanted("/etc/hosts", in_place=True, check=check))
            assert machine.tree() == before
        machine.apply(wanted("/etc/hosts", in_place=True, backup=True, check=("true", "{path}")))
        assert machine.path("/etc/hosts.imds-bootstrap.bak").read_text() == "a longer old content\n"
        assert len(list(machine.path("/etc").iterdir())) == 2


def test_in_place_works_in_a_read_only_folder(machine, wanted, mounted, tmp_path):
    """A container's writable file in a read-only tree can be written over."""
    source = tmp_path / "source"
    source.write_text("old\n")
    target = machine.put("/etc/hosts", "")
    with mounted("--bind", target.parent, target.parent), mounted("--bind", source, target):
        subprocess.run(["mount", "-o", "remount,bind,ro", target.parent], check=True)
        machine.apply(wanted("/etc/hosts", in_place=True))
        assert source.read_text() == "new\n"


def test_full_disk_leaves_the_old_files_whole(machine, wanted, mounted):
    """A disk that fills up while staging costs nothing but the run."""
    machine.path("/small").mkdir()
    machine.put("/etc/a", "old\n")
    with mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", machine.path("/small")):
        machine.put("/small/b", "old\n")
        before = machine.tree()
        with pytest.raises(WriteError, match="No space left") as caught:
            machine.apply(wanted("/etc/a"), wanted("/small/b", "x" * 200_000))
        assert caught.value.problems[0].path == "/small/b"
        assert machine.tree() == before


def test_full_disk_while_writing_over_puts_the_old_content_back(machine, wanted, mounted):
    """Running out of room half-way through a file that is written over restores the old one."""
    machine.path("/small").mkdir()
    with mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", machine.path("/small")):
        machine.put("/small/b", "old\n", 0o600)
        before = machine.tree()
        with pytest.raises(WriteError, match="No space left"):
            machine.apply(wanted("/small/b", "x" * 200_000, in_place=True))
        assert machine.tree() == before


def test_read_only_file_system(machine, wanted, mounted):
    """A read-only file system is an error before anything else has changed."""
    machine.path("/fixed").mkdir()
    machine.put("/etc/a", "old\n")
    with mounted("-t", "tmpfs", "-o", "ro", "tmpfs", machine.path("/fixed")):
        before = machine.tree()
        with pytest.raises(WriteError, match="Read-only"):
            machine.apply(wanted("/etc/a"), wanted("/fixed/b"))
        assert machine.tree() == before


def test_immutable_file_rolls_the_others_back(machine, wanted, as_root):
    """A file that refuses to be replaced takes back those that were replaced before it."""
    machine.put("/etc/a", "a\n")
    fixed = machine.put("/etc/fixed", "fixed\n")
    before = machine.tree()
    if subprocess.run(["chattr", "+i", fixed], capture_output=True, check=False).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        with pytest.raises(WriteError, match="not permitted"):
            machine.apply(wanted("/etc/a"), wanted("/srv/b"), wanted("/etc/fixed"))
    finally:
        subprocess.run(["chattr", "-i", fixed], check=True)
    assert machine.tree() == before


def test_mount_after_the_plan_rolls_the_others_back(machine, wanted, mounted):
    """When the third file turns out to be a mount point, the first two come back."""
    for name in "abc":
        machine.put(f"/etc/{name}", f"{name}\n")
    planned = machine.plan(*(wanted(f"/etc/{name}", backup=True) for name in "abc"))
    with mounted("--bind", machine.path("/etc/c"), machine.path("/etc/c")):
        before = machine.tree()
        with pytest.raises(WriteError, match="busy") as caught:
            machine.commit(planned)
        assert "in_place: true" in caught.value.problems[0].hint
        assert machine.tree() == before


def test_mount_point_is_not_pruned(machine, wanted, mounted):
    """A file on which something is mounted by now is kept, and a note says so."""
    machine.apply(wanted("/etc/a file"))
    with mounted("--bind", machine.path("/etc/a file"), machine.path("/etc/a file")):
        planned = machine.plan(prune=True)
    assert planned.changes == ()
    assert planned.notes == ("kept /etc/a file: it is a mount point",)


def test_file_below_an_overlay_is_replaced(machine, wanted, mounted, tmp_path):
    """A file that comes from a read-only image is the same file once it has been copied up."""
    for name in ("image", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "image/a").write_text("old\n")
    (tmp_path / "image/b").write_text("old\n")
    with mounted("-t", "tmpfs", "tmpfs", tmp_path / "other"):
        layers = {"lowerdir": tmp_path / "image"}
        for name in ("upperdir", "workdir"):
            layers[name] = tmp_path / "other" / name
            layers[name].mkdir()
        options = ",".join(f"{name}={path}" for name, path in layers.items())
        with mounted("-t", "overlay", "-o", options, "overlay", machine.root):
            machine.apply(wanted("/a"), wanted("/b", check=("true",)), wanted("/c"))
            assert sorted(machine.tree()) == ["a", "b", "c"]
            assert machine.path("/a").read_text() == "new\n"
            machine.apply(prune=True)
            assert machine.tree() == {}


def test_a_folder_that_cannot_be_made_is_told_with_its_document(machine, wanted, mounted, as_root):
    """The line that asked for the file; the unit's sandbox looks like a read-only file system."""
    machine.put("/home/staff/note", "x")
    home = machine.path("/home")
    with mounted("--bind", home, home):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(home)], check=True)
        files = [wanted("/a", origin="a.yaml:3:5"), wanted("/home/shop/b", origin="a.yaml:4:5")]
        with pytest.raises(WriteError) as caught:
            machine.apply(*files)
    (problem,) = caught.value.problems
    assert (problem.path, problem.where) == ("/home/shop", "a.yaml:4:5")
    assert "ReadWritePaths=" in problem.hint
    assert "ProtectHome=" in problem.hint


def test_a_mode_that_the_unit_forbids_is_told_as_such(as_root):
    """Not permitted may mean an attribute of the file, or the sandbox of the service."""
    error = from_os_error(
        PermissionError(errno.EPERM, "Operation not permitted"), "writing", path="/a"
    )
    assert "RestrictSUIDSGID=no" in error.problems[0].hint
