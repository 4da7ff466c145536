from __future__ import annotations

import json
import os
import stat
import subprocess
from contextlib import nullcontext

import pytest

from bootstrap.apply.transaction.commit import Transaction
from bootstrap.errors import CommandFailed, UnsafeDestination, WriteError
from bootstrap.fs import read, temp_names, write
from bootstrap.fs.path import resolve


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_mode_is_exact_whatever_the_umask(machine, wanted, umask, mask):
    """The mode is the one that was asked for; folders on the way are 0755."""
    modes = (0o644, 0o600, 0o640, 0o755, 0o400, 0o4755, 0o666)
    umask(mask)
    machine.apply(*(wanted(f"/srv/shop/{mode}", mode=mode) for mode in modes))
    umask(0o022)
    for mode in modes:
        assert stat.S_IMODE(machine.path(f"/srv/shop/{mode}").stat().st_mode) == mode
    assert stat.S_IMODE(machine.path("/srv/shop").stat().st_mode) == 0o755


def test_owner_is_set_before_the_name_appears(machine, wanted, as_root, monkeypatch):
    """When a name appears, its owner, mode and content are final."""
    seen = []
    machine.put("/old", "old\n")
    for call in ("replace", "link"):
        real = getattr(os, call)

        def watch(old, new, *, src_dir_fd, real=real, **more):
            if new in {"old", "new"}:
                status = os.stat(old, dir_fd=src_dir_fd)
                access = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
                seen.append((new, *access, status.st_size))
            real(old, new, src_dir_fd=src_dir_fd, **more)

        monkeypatch.setattr(os, call, watch)
    access = {"mode": 0o440, "owner": "1234", "group": "77"}
    machine.apply(wanted("/old", "12345", **access), wanted("/new", "12345", **access))
    assert seen == [("old", 0o440, 1234, 77, 5), ("new", 0o440, 1234, 77, 5)]


def test_staged_file_is_never_wider_than_asked(machine, as_root, monkeypatch):
    """Nobody but root can open a staged file before its owner and mode are final."""
    modes = []
    for name in ("write", "fchown", "fchmod", "fsync"):
        real = getattr(os, name)

        def watch(descriptor, *arguments, real=real):
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                modes.append((real.__name__, stat.S_IMODE(status.st_mode)))
            return real(descriptor, *arguments)

        monkeypatch.setattr(os, name, watch)
    access = read.Access(0o640, 1234, 0)
    write.write(resolve("/a", str(machine.root)), b"new\n", access)
    assert modes == [("write", 0), ("fchown", 0), ("fchmod", 0), ("fsync", 0o640)]


def test_owner_of_an_existing_file_is_kept(machine, wanted, as_root):
    """A document that names no owner keeps the one that a file has."""
    os.chown(machine.put("/a", "old\n"), 1234, 77)
    machine.apply(wanted("/a"))
    status = machine.path("/a").stat()
    assert (status.st_uid, status.st_gid) == (1234, 77)
    assert machine.path("/a").read_text() == "new\n"


def test_nothing_is_left_behind(machine, wanted):
    """After a commit there are only the files that were asked for."""
    machine.put("/etc/a", "old\n")
    machine.apply(wanted("/etc/a"), wanted("/etc/b"))
    assert sorted(os.listdir(machine.path("/etc"))) == ["a", "b"]


def test_link_is_refused_by_default(machine, wanted):
    """A symbolic link is not written through unless the document says so."""
    machine.put("/data/real", "old\n")
    machine.path("/a").symlink_to("/data/real")
    with pytest.raises(UnsafeDestination) as caught:
        machine.apply(wanted("/a"))
    assert "symlink: follow" in caught.value.problems[0].hint
    assert machine.path("/data/real").read_text() == "old\n"


def test_link_is_followed_below_the_root(machine, wanted):
    """`symlink: follow` writes where the link points, as the tree below the root reads it."""
    machine.put("/data/real", "old\n")
    machine.path("/a").symlink_to("/data/real")
    machine.apply(wanted("/a", symlink="follow"))
    assert machine.path("/data/real").read_text() == "new\n"
    assert machine.path("/a").is_symlink()


def test_dangling_link_is_followed_to_a_new_file(machine, wanted):
    """`symlink: follow` makes the file that a dangling link promises."""
    machine.path("/a").symlink_to("/data/new/real")
    machine.apply(wanted("/a", symlink="follow"))
    assert machine.path("/data/new/real").read_text() == "new\n"


def test_link_is_replaced(machine, wanted):
    """`symlink: replace` puts a file where the link was and leaves the link's target alone."""
    target = machine.put("/data/real", "old\n")
    machine.path("/a").symlink_to("/data/real")
    planned = machine.apply(wanted("/a", symlink="replace"))
    assert planned.changes[0].reasons == ("replaces a link to /data/real",)
    assert not machine.path("/a").is_symlink()
    assert machine.path("/a").read_text() == "new\n"
    assert target.read_text() == "old\n"


def test_folder_swapped_for_a_link_leads_nowhere(machine, wanted, tmp_path):
    """A folder that becomes a link between plan and commit does not lead the agent outside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    machine.path("/etc").mkdir()
    planned = machine.plan(wanted("/etc/a"))
    machine.path("/etc").rmdir()
    machine.path("/etc").symlink_to(outside)
    with pytest.raises(WriteError):
        machine.commit(planned)
    assert list(outside.iterdir()) == []


def test_backup_is_the_one_previous_copy(machine, wanted):
    """`backup: true` keeps the content before the last change, with its mode, and no other."""
    machine.put("/a", "one\n", 0o600)
    machine.apply(wanted("/a", "two\n", backup=True))
    backup = machine.path("/a.imds-bootstrap.bak")
    assert backup.read_text() == "one\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    machine.apply(wanted("/a", "three\n", backup=True))
    machine.apply(wanted("/a", "three\n", backup=True, mode=0o600))
    assert backup.read_text() == "two\n"
    assert sorted(os.listdir(machine.root)) == ["a", "a.imds-bootstrap.bak"]


def test_suffix_is_kept_for_checks(machine, wanted):
    """A check sees the staged file with its real suffix, its mode and its content."""
    script = 'case "$0" in *.toml) ;; *) exit 3;; esac; test "$(cat "$0")" = new'
    check = ("sh", "-c", script, "{path}")
    machine.apply(wanted("/shop.toml", check=check, mode=0o600))
    assert machine.path("/shop.toml").read_text() == "new\n"


def test_failed_check_stops_before_anything_is_published(machine, wanted):
    """A check that says no leaves every file as it was; its words are in the error."""
    machine.put("/a", "old\n")
    before = machine.tree()
    check = ("sh", "-c", "echo line 7 is bad; exit 2", "{path}")
    entry = {"origin": "a.yaml:3:5", "check_origin": "a.yaml:5:12"}
    with pytest.raises(CommandFailed) as caught:
        machine.apply(wanted("/a"), wanted("/srv/b", check=check, **entry))
    said = "`sh -c 'echo line 7 is bad; exit 2' {path}`"
    assert caught.value.message == "/srv/b: its check ended with status 2"
    assert caught.value.problems[0].message == f"its check {said} ended with status 2"
    assert caught.value.problems[0].where == "a.yaml:5:12"
    assert "line 7 is bad" in caught.value.problems[0].hint
    assert machine.tree() == before


def test_folders_made_for_several_files_go_again(machine, wanted):
    """Folders that were made for files that did not come are removed, shared ones too."""
    files = [wanted(f"/srv/deep/{name}") for name in "ab"]
    with pytest.raises(CommandFailed):
        machine.apply(*files, wanted("/srv/c", check=("false", "{path}")))
    assert list(machine.root.iterdir()) == []


def test_check_without_path_runs_after_and_rolls_back(machine, wanted):
    """A check without `{path}` sees the new files in place; if it says no, the old are back."""
    machine.put("/a", "old\n")
    before = machine.tree()
    script = f"cat {machine.path('/a')}; exit 1"
    with pytest.raises(CommandFailed) as caught:
        machine.apply(wanted("/a", check=("sh", "-c", script)), wanted("/srv/b"))
    assert "it wrote: new" in caught.value.problems[0].hint
    assert machine.tree() == before


def test_output_of_a_check_on_a_secret_is_not_shown(machine, wanted):
    """What a check writes about a file with a secret may be the secret."""
    check = ("sh", "-c", "cat $0; exit 1", "{path}")
    with pytest.raises(CommandFailed) as caught:
        machine.apply(wanted("/a", "hunter2", secret=True, check=check))
    told = repr(caught.value.as_dict())
    assert "hunter2" not in told
    assert "not shown, for it may tell a secret; `imds-bootstrap render /a` shows the file" in told


@pytest.mark.parametrize("secret", [False, True])
def test_a_check_that_is_not_there_wrote_nothing(machine, wanted, secret):
    """Of a program that could not be started no output is missed: it has to be installed."""
    with pytest.raises(CommandFailed) as caught:
        machine.apply(wanted("/a", secret=secret, check=("no-such-program", "-t")))
    (problem,) = caught.value.problems
    assert problem.message.startswith("its check `no-such-program -t` could not be started: No ")
    assert problem.hint == "install it in the image, or correct the command"


def test_unchanged_file_is_not_checked(machine, wanted):
    """A check runs only when there is a new content to check."""
    machine.put("/a", "new\n", 0o600)
    machine.apply(wanted("/a", check=("false", "{path}")))
    machine.apply(wanted("/a", check=("false",)))


@pytest.mark.parametrize("when", range(4))
def test_failed_commit_puts_everything_back(machine, wanted, when):
    """When any one name cannot be changed, all files are as they were, and nothing is left."""
    machine.put("/etc/a", "a\n", 0o600)
    machine.put("/etc/b", "b\n")
    machine.path("/etc/c").symlink_to("nowhere")
    machine.put("/etc/pruned", "p\n")
    machine.apply(wanted("/etc/pruned", "P\n"))
    names = ["/etc/a", "/etc/b", "/etc/c", "/srv/new/d"]
    planned = machine.plan(
        *(wanted(name, symlink="replace", backup=True) for name in names), prune=True
    )
    assert [change.action for change in planned.changes][-1] == "remove"
    obstacle = machine.path(names[when])
    if obstacle.is_symlink() or obstacle.exists():
        obstacle.unlink()
    (obstacle / "in-the-way").mkdir(parents=True)
    before = machine.tree()
    with pytest.raises(WriteError) as caught:
        machine.commit(planned)
    assert caught.value.problems[0].path == names[when]
    assert machine.tree() == before


def test_interrupt_puts_everything_back(machine, wanted):
    """Control-C between two files is no different from any other failure."""
    machine.put("/a", "old\n")
    before = machine.tree()

    def interrupt(command, *, timeout):
        raise KeyboardInterrupt

    planned = machine.plan(wanted("/a"), wanted("/srv/b", check=("true",)))
    with pytest.raises(KeyboardInterrupt):
        machine.begin(planned, run=interrupt)
    assert machine.tree() == before


def change(path):
    """Write a file anew, as an editor does: another file of that name."""
    path.write_text("own\n")


def swap(path):
    """Put another file in its place, with the same content and the same times."""
    other = path.parent / "another"
    other.write_bytes(path.read_bytes())
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)


MEANWHILE = {"written": change, "swapped": swap, "gone": os.unlink}
KINDS = {
    "replaced": {},
    "its mode changed": {"content": "old\n", "mode": 0o600},
    "written over": {"in_place": True},
    "a link": {"symlink": "replace"},
}


@pytest.mark.parametrize("harm", MEANWHILE)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("late", [False, True])
def test_file_changed_after_the_plan_is_not_replaced_unseen(machine, wanted, harm, kind, late):
    """What somebody does to a file while the run is at work stays, and stops the run."""
    machine.put("/other", "old\n")
    path = machine.put("/a", "old\n")
    if kind == "a link":
        path.unlink()
        path.symlink_to("somewhere")
    planned = machine.plan(wanted("/other"), wanted("/a", **KINDS[kind]))

    transaction = Transaction(planned, machine.journal(), "t")
    transaction.begin({})
    if late:
        transaction.prepare(timeout=1, run=None)
    path.unlink() if kind == "a link" else MEANWHILE[harm](path)
    left = machine.tree()
    act = transaction.publish if late else transaction.prepare
    with pytest.raises(WriteError, match="it has changed since the plan") as caught:
        act(timeout=1, run=None)
    transaction.abandon(caught.value)
    after = {name: entry for name, entry in left.items() if "imds-bootstrap" not in name}
    after.pop("journal.json", None)
    assert machine.tree() == after


@pytest.mark.parametrize(("harm", "refused"), [(change, True), (swap, False)])
def test_file_that_changes_while_it_is_kept(machine, wanted, monkeypatch, harm, refused):
    """Below an overlay a file gets another number when it is kept; that is all that may differ."""
    path = machine.put("/a", "old\n")
    planned = machine.plan(wanted("/a"))
    real = write.save_original

    def keep(place, name):
        harm(path)
        real(place, name)

    monkeypatch.setattr(write, "save_original", keep)
    with pytest.raises(WriteError) if refused else nullcontext():
        machine.commit(planned)
    assert path.read_text() == ("own\n" if refused else "new\n")
    assert os.listdir(machine.root) == ["a"]


def test_file_that_is_to_go_and_was_changed_stays(machine, wanted):
    """A file that somebody edits while the run is at work is not removed."""
    machine.apply(wanted("/a"))
    planned = machine.plan(prune=True)
    change(machine.path("/a"))
    with pytest.raises(WriteError, match="it has changed"):
        machine.commit(planned)
    assert machine.path("/a").read_text() == "own\n"
    assert os.listdir(machine.root) == ["a"]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("when", ["before", "between"])
def test_file_that_appeared_after_the_plan_stays(machine, wanted, monkeypatch, links, when):
    """A new file never takes a name that something else has got, not even at the last moment."""
    path = machine.path("/a")
    link = os.link

    def appear(old, new, **more):
        if when == "between" and new == "a":
            path.write_text("somebody's\n")
        if not links:
            raise PermissionError(1, "Operation not permitted")
        link(old, new, **more)

    monkeypatch.setattr(os, "link", appear)
    planned = machine.plan(wanted("/a"))
    if when == "before":
        path.write_text("somebody's\n")
    with pytest.raises(WriteError):
        machine.commit(planned)
    assert path.read_text() == "somebody's\n"
    assert os.listdir(machine.root) == ["a"]


@pytest.mark.parametrize("attribute", ["i", "a"])
def test_immutable_file_has_a_hint(machine, wanted, as_root, attribute):
    """A file that not even root may replace is named with the way out, and all is as it was."""
    machine.put("/b", "old\n")
    path = machine.put("/a", "old\n")
    before = machine.tree()
    done = subprocess.run(["chattr", f"+{attribute}", path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this file system knows no such attributes")
    try:
        with pytest.raises(WriteError) as caught:
            machine.apply(wanted("/b"), wanted("/a"))
    finally:
        subprocess.run(["chattr", f"-{attribute}", path], check=True)
    assert "chattr -i -a" in caught.value.problems[0].hint
    assert machine.tree() == before


def test_file_system_without_hard_links_keeps_a_copy(machine, wanted, monkeypatch):
    """Where a file can have one name only, undo works from a copy."""

    def refuse(*arguments, **keywords):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    machine.put("/a", "old\n", 0o640)
    before = machine.tree()
    with pytest.raises(CommandFailed):
        machine.apply(wanted("/a", check=("false",)))
    assert machine.tree() == before


def test_long_names_fit(machine, wanted):
    """A name as long as the file system allows can be staged and kept too."""
    name = "/" + "ä" * 125 + ".conf"
    machine.apply(wanted(name, "one"))
    machine.apply(wanted(name, "two"))
    assert machine.path(name).read_text() == "two"


def test_staged_and_kept_names_never_meet():
    """No staged file is called as a kept one."""
    staged = {temp_names.staged_name(name, "t") for name in ("a", "a~", "a.b", "a.b~", ".a", "a.")}
    kept = {temp_names.kept_name(name, "t") for name in ("a", "a~", "a.b", "a.b~", ".a", "a.")}
    assert len(staged) == len(kept) == 6
    assert not staged & kept


def test_staging_does_not_write_through_a_planted_link(machine):
    """A link with the staged name is an error and not a way out."""
    machine.path("/planted").symlink_to("/target")
    with pytest.raises(FileExistsError):
        write.write(resolve("/planted", str(machine.root)), b"x", read.own_access(0o600))


def test_file_that_did_not_exist_is_gone_after_a_failed_write(machine, monkeypatch):
    """A file that could not be flushed leaves no name."""

    def fail(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input"):
        write.write(resolve("/a", str(machine.root)), b"x", read.own_access(0o600))
    assert list(machine.root.iterdir()) == []


@pytest.mark.parametrize("name", ["a." + "s" * 253, "." + "s" * 254, "n" * 200 + "." + "s" * 54])
def test_a_name_as_long_as_can_be_is_written(machine, wanted, name):
    """Neither a name nor a suffix of 255 bytes is too long to be staged, kept and replaced."""
    machine.apply(wanted(f"/etc/{name}", "one\n"))
    machine.apply(wanted(f"/etc/{name}", "two\n"))
    assert machine.path(f"/etc/{name}").read_text() == "two\n"
    assert os.listdir(machine.path("/etc")) == [name]


def test_a_staged_name_that_no_file_can_have_is_no_litter(machine, wanted, monkeypatch):
    """A file system with shorter names refuses a file, and nothing is left to be settled."""
    monkeypatch.setattr(temp_names, "MAX_NAME", 300)
    with pytest.raises(WriteError, match="File name too long") as caught:
        machine.apply(wanted("/etc/" + "n" * 255))
    assert len(caught.value.problems) == 1
    assert os.listdir(machine.root) == []


@pytest.mark.parametrize("harm", ["echo more >>", "chmod 777", "rm"])
def test_a_check_that_touches_what_it_checks_is_refused(machine, wanted, harm):
    """What is published is what was asked for: no check may change, widen or remove it."""
    machine.put("/etc/a", "old\n")
    before = machine.tree()
    with pytest.raises(CommandFailed, match="changed the file that it checks"):
        machine.apply(wanted("/etc/a", check=("sh", "-c", f'{harm} "$0"', "{path}")))
    assert machine.tree() == before


@pytest.mark.parametrize("secret", [0, 1])
def test_output_of_a_check_for_several_files_is_as_secret_as_any(machine, wanted, secret):
    """A check of the whole may tell of each of the files that it stands for."""
    check = ("sh", "-c", f"cat {machine.root}/etc/*; exit 1")
    contents = ["plain", "plain"]
    contents[secret] = "hunter2"
    files = [
        wanted(f"/etc/{at}", content, secret=at == secret, check=check)
        for at, content in enumerate(contents)
    ]
    with pytest.raises(CommandFailed) as caught:
        machine.apply(*files)
    assert "hunter2" not in str(caught.value.as_dict())


def refusing(monkeypatch, call, *names):
    """Let a system call fail on these names."""
    real = getattr(os, call)

    def refuse(name, *others, **folders):
        if {name, *others} & set(names):
            raise OSError(5, "Input/output error")
        return real(name, *others, **folders)

    monkeypatch.setattr(os, call, refuse)


@pytest.mark.parametrize(
    "failure",
    [
        ("open", ".a.imds-bootstrap-t-0", "writing", "/etc/a"),
        ("link", "a", "keeping the old content of", "/etc/a"),
        ("replace", "a", "replacing", "/etc/a"),
        ("open", "journal.json", "writing the journal", "/journal.json"),
        ("mkdir", "new", "making the folder", "/srv/new"),
    ],
)
def test_what_was_being_done_is_told(machine, wanted, monkeypatch, failure):
    """The error says at what the system failed, with the file and the place that asks for it."""
    call, name, doing, path = failure
    machine.put("/etc/a", "old\n")
    before = machine.tree()
    planned = machine.plan(
        wanted("/etc/a", origin="a.yaml:1:1"), wanted("/srv/new/b", origin="a.yaml:2:1")
    )
    with monkeypatch.context() as patch:
        refusing(patch, call, name)
        with pytest.raises(WriteError) as caught:
            machine.begin(planned, token=lambda: "t")
    assert caught.value.message == f"{doing} {path}: Input/output error"
    (problem,) = caught.value.problems
    where = {"/etc/a": "a.yaml:1:1", "/srv/new": "a.yaml:2:1"}.get(path, "")
    assert (problem.message, problem.path, problem.where) == (
        f"{doing}: Input/output error",
        path,
        where,
    )
    assert machine.tree() == before


def test_a_folder_belongs_to_the_first_file_below_it(machine, wanted, monkeypatch):
    """A folder whose name only begins alike is another one."""
    planned = machine.plan(
        wanted("/srv/newer/a", origin="a.yaml:1:1"), wanted("/srv/new/b", origin="a.yaml:2:1")
    )
    with monkeypatch.context() as patch:
        refusing(patch, "mkdir", "new")
        with pytest.raises(WriteError) as caught:
            machine.commit(planned)
    assert caught.value.problems[0].where == "a.yaml:2:1"
    assert os.listdir(machine.root) == []


def test_what_cannot_be_put_back_is_told_with_the_error(machine, wanted, monkeypatch):
    """Both what failed and what is left are there, and the journal stays for the next run."""
    machine.put("/etc/a", "old\n")
    planned = machine.plan(wanted("/etc/a"), wanted("/srv/b", check=("false",)))
    refusing(monkeypatch, "unlink", "b")
    with pytest.raises(CommandFailed) as caught:
        machine.commit(planned)
    check, left = caught.value.problems
    assert "its check `false` ended with status 1" in check.message
    assert (left.path, left.message) == ("/srv/b", "settling: Input/output error")
    assert machine.path("/etc/a").read_text() == "old\n"
    assert machine.journal().read().phase == "prepared"


def test_an_interrupt_stays_one_although_something_cannot_be_put_back(machine, wanted, monkeypatch):
    """Control-C has no problems to tell; what is left is the next run's."""

    def interrupt(command, *, timeout):
        raise KeyboardInterrupt

    planned = machine.plan(wanted("/b", check=("true",)))
    refusing(monkeypatch, "unlink", "b")
    with pytest.raises(KeyboardInterrupt):
        machine.begin(planned, run=interrupt)
    assert machine.journal().read().phase == "prepared"


def test_an_undone_commit_whose_journal_cannot_go_is_settled_later(machine, wanted, monkeypatch):
    """The error is that of the commit, and the next run finds the journal."""
    refusing(monkeypatch, "unlink", "journal.json")
    with pytest.raises(CommandFailed) as caught:
        machine.apply(wanted("/b", check=("false",)))
    assert len(caught.value.problems) == 1
    assert os.listdir(machine.root) == ["journal.json"]


def test_a_commit_beside_another_ones_journal_changes_nothing(machine, wanted):
    """What an earlier run has left is neither removed nor undone by the one that is refused."""
    machine.put("/a", "old\n")
    planned = machine.plan(wanted("/a"))
    Transaction(planned, machine.journal(), "dead").begin({"mine": 1})
    before = machine.tree()
    with pytest.raises(WriteError) as caught:
        machine.commit(planned)
    message = "the journal of an earlier run is still there, and cannot be let go of"
    (problem,) = caught.value.problems
    assert (problem.message, problem.path) == (message, "/journal.json")
    assert problem.hint == "see what keeps it from going"
    assert machine.tree() == before


@pytest.mark.parametrize("when", ["open", "confirmed"])
def test_a_rollback_after_the_last_word_puts_files_back_too(machine, wanted, when):
    """Whoever asks for the old files gets them."""
    machine.put("/a", "old\n")
    before = machine.tree()
    transaction = machine.begin(machine.plan(wanted("/a")))
    if when == "confirmed":
        transaction.confirm()
    transaction.roll_back()
    transaction.close()
    assert machine.tree() == before


def test_a_new_file_that_a_handler_has_changed_goes_with_a_rollback(machine, wanted):
    """The run that made a file knows it again, whatever a daemon has written into it."""
    before = machine.tree()
    transaction = machine.begin(machine.plan(wanted("/srv/a")))
    with machine.path("/srv/a").open("a") as file:
        file.write("a daemon's own line\n")
    transaction.roll_back()
    transaction.close()
    assert machine.tree() == before


def test_nothing_to_change_leaves_no_trace(machine, wanted):
    """A plan without changes writes no journal, and may be confirmed, undone and closed."""
    machine.put("/a", "new\n")
    before = machine.tree()
    transaction = machine.begin(machine.plan(wanted("/a")))
    transaction.confirm()
    transaction.roll_back()
    transaction.close()
    assert machine.tree() == before


def test_each_commit_has_names_of_its_own(machine, wanted):
    """Two commits, or two files of one, never meet in what they stage."""
    machine.path("/etc").mkdir()
    planned = machine.plan(wanted("/etc/a"), wanted("/etc/b"))
    staged = set()
    for _ in range(2):
        machine.begin(planned).roll_back()
        staged |= {entry.staged for entry in machine.journal().read().entries}
        machine.journal().remove()
    assert len(staged) == 4
    assert all("None" not in name for name in staged)


def test_the_numbers_of_the_files_are_in_the_journal(machine, wanted):
    """By its number the next process knows a file that was written over for the same one."""
    path = machine.put("/a", "old\n")
    planned = machine.plan(wanted("/a", in_place=True), wanted("/b"))
    number = path.stat().st_ino
    transaction = machine.begin(planned, next_state={"mine": 1})
    lines = machine.path("/journal.json").read_text().splitlines()
    made = machine.path("/b").stat().st_ino
    assert json.loads(lines[1]) == {"prepared": [number, made]}
    story = machine.journal().read()
    assert (story.inodes, story.next_state) == ((number, 0), {"mine": 1})
    transaction.roll_back()
    transaction.close()


@pytest.mark.parametrize("folder", ["/run/credstore", "/etc/credstore.encrypted"])
def test_a_folder_of_credentials_is_for_nobody_else(machine, wanted, umask, folder):
    """It is as systemd makes it itself, and those around it are as usual."""
    umask(0)
    machine.apply(wanted(f"{folder}/a"), wanted("/run/other/b"), wanted(f"{folder}/deep/c"))
    modes = [
        stat.S_IMODE(machine.path(path).stat().st_mode)
        for path in (folder, "/run/other", f"{folder}/deep")
    ]
    assert modes == [0o700, 0o755, 0o755]


def test_a_new_file_that_cannot_get_its_name_is_told(machine, wanted, monkeypatch):
    """The word for it is that for any other file."""
    planned = machine.plan(wanted("/a"))
    refusing(monkeypatch, "link", "a")
    with pytest.raises(WriteError) as caught:
        machine.commit(planned)
    assert caught.value.message == "replacing /a: Input/output error"
