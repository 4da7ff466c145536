"""Random lives of a machine against a model: what is on the disk is what the documents ask for."""

import json
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tracing import Program
from victim import END, INSTANCE, MARK

pytestmark = pytest.mark.crash

PATHS = ("/etc/app/one.conf", "/etc/app/two", "/etc/other/three", "/opt/four")
CONTENTS = ("first", "second", "in {{ tags.Color }}", "")
MODES = (0o600, 0o640, 0o644)
LIVES, EVENTS = settings.default.max_examples * 3 // 10, 14


@dataclass(frozen=True)
class Wanted:
    """What a document says of one file."""

    content: str
    mode: int
    once: bool
    notify: bool


@dataclass
class Known:
    """What the agent remembers of a file; `ours` is None where a crash makes it uncertain."""

    content: str
    ours: bool | None


WANTED = st.builds(
    Wanted,
    content=st.sampled_from(CONTENTS),
    mode=st.sampled_from(MODES),
    once=st.booleans(),
    notify=st.booleans(),
)
DOCUMENTS = st.dictionaries(st.sampled_from(PATHS), WANTED)


class Life(RuleBasedStateMachine):
    """One machine: its documents change, people edit its files, power fails, the agent runs.

    The model is `files` (by path, content and mode as they are), `known` (what the agent wrote
    there), the document and the settings. After a crash `between` holds what the files may be,
    and `unheard` the documents of the runs that died; `files` is then what was there before.
    """

    program: Program

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life-", dir=self.program.folder))
        self.root = self.folder / "root"
        self.log = self.folder / "log"
        self.log.mkdir()
        (self.root / "etc/imds-bootstrap/config.d").mkdir(parents=True)
        self.document, self.color, self.prune = {}, "red", False
        self.files, self.known = {}, {}
        self.between, self.unheard = None, []
        self._write_image()
        self._write_instance()

    def teardown(self):
        """Forget this machine."""
        shutil.rmtree(self.folder)

    # What happens to a machine.

    @rule(document=DOCUMENTS)
    def deploy(self, document):
        """The image says something else."""
        self.document = document
        self._write_image()

    @rule(color=st.sampled_from(["red", "blue"]))
    def tag(self, color):
        """Somebody changes a tag."""
        self.color = color
        self._write_instance()

    @rule(prune=st.booleans())
    def choose_prune(self, prune):
        """The image's builder changes a setting."""
        self.prune = prune
        self._write_image()

    @precondition(lambda self: self.between is None)
    @rule(
        path=st.sampled_from(PATHS),
        content=st.sampled_from([*CONTENTS[:2], "mine"]),
        mode=st.sampled_from(MODES),
    )
    def edit(self, path, content, mode):
        """Somebody edits a file, or makes one."""
        self._below(path).parent.mkdir(parents=True, exist_ok=True)
        self._below(path).write_text(content)
        self._below(path).chmod(mode)
        self.files[path] = (content, mode)

    @precondition(lambda self: self.between is None)
    @rule(path=st.sampled_from(PATHS))
    def delete(self, path):
        """Somebody deletes a file."""
        self._below(path).unlink(missing_ok=True)
        self.files.pop(path, None)

    @precondition(lambda self: self.between is None)
    @rule()
    def clean(self):
        """The machine is made ready for capture."""
        assert self._agent("clean").code == 0
        self.known = {}

    @rule()
    def run(self):
        """The agent runs, and does what it said it would, and nothing twice."""
        before, heard = self.files, self._heard()
        expected = self._expected(before)
        plan, ended = self._agent("plan"), self._agent("run")
        assert ended.code == 0, ended.err
        said, did = plan.answer, ended.answer
        assert (said["changes"], said["handlers"]) == (did["changes"], did["handlers"])
        self.files = self._look()
        for path in PATHS:
            assert self.files.get(path) in expected[path], path
        self._check_handlers(before, heard)
        self._remember(before)
        self.between, self.unheard = None, []
        again = self._agent("run")
        assert again.answer["result"] == "unchanged"

    @rule(number=st.integers(1, 60))
    def crash(self, number):
        """The run is killed at its `number`th change, if it makes as many."""
        expected = self._expected(self.files)
        may_be = {path: expected[path] | self._before(path, self.files) for path in PATHS}
        ended = self._agent("run", die=number)
        assert ended.killed or ended.code == 0, ended.err
        now = self._look()
        for path in PATHS:
            assert now.get(path) in (may_be if ended.killed else expected)[path], path
        if not ended.killed:
            self._remember(self.files)
            self.files, self.between, self.unheard = now, None, []
            return
        self.between = may_be
        self.unheard.append(self.document)
        for path in self.known.keys() | self.document.keys():
            content = self._rendered(self.document[path]) if path in self.document else ""
            self.known.setdefault(path, Known(content, ours=None)).ours = None

    # What has to hold at any time.

    @invariant()
    def nothing_is_left_behind(self):
        """The files are those of the model, and nothing else is there."""
        if self.between is None:
            assert not [path for path in self.root.rglob("*") if MARK in path.name]
            assert self._look() == self.files

    # The model.

    def _rendered(self, wanted):
        return wanted.content.replace("{{ tags.Color }}", self.color)

    def _before(self, path, before):
        """What a file may be before a run: one thing, or after a crash one of two."""
        return self.between[path] if self.between is not None else {before.get(path)}

    def _expected(self, before):
        """For each path what it may be after a run; None stands for no file."""
        return {path: self._may_become(path, self._before(path, before)) for path in PATHS}

    def _may_become(self, path, was):
        wanted = self.document.get(path)
        if wanted is None:
            return {after for one in was for after in self._dropped(path, one)}
        new = (self._rendered(wanted), wanted.mode)
        if not wanted.once:
            return {new}
        return {new if one is None else one for one in was}

    def _dropped(self, path, one):
        known = self.known.get(path)
        if one is None or known is None or not self.prune or known.ours is False:
            return {one}
        certain = known.ours and self.between is None
        if certain:
            return {None} if one[0] == known.content else {one}
        return {None, one}

    def _remember(self, before):
        known = {}
        for path, wanted in self.document.items():
            content = self._rendered(wanted)
            old = self.known.get(path)
            was = self._before(path, before)
            if wanted.once and None not in was:
                known[path] = old or Known(content, ours=False)
            elif (
                all(one is None or one[0] != content for one in was) and not wanted.once
            ) or was == {None}:
                known[path] = Known(content, ours=True)
            elif len(was) == 1:
                known[path] = Known(content, ours=bool(old and old.ours))
                if old and old.ours is None:
                    known[path].ours = None
            else:
                known[path] = Known(content, ours=None)
        self.known = known

    def _check_handlers(self, before, heard):
        """Whose content changed was told of it after it had; whose did not was left alone."""
        now = self._heard()
        for number, path in enumerate(PATHS):
            name, old, new = f"h{number}", before.get(path), self.files.get(path)
            documents = [*self.unheard, self.document]
            notifies = all(path in one and one[path].notify for one in documents)
            if notifies and (old is None or old[0] != new[0]):
                assert now.get(name, [None])[-1] == new[0], f"{path} changed, and nobody heard"
            elif not self.unheard:
                assert now.get(name) == heard.get(name), f"{path} did not change"

    # The machine.

    def _agent(self, verb, die=0):
        argv = ["--format", "json", "--root", str(self.root), verb]
        if verb != "clean":
            argv += ["--offline", str(self.folder / "instance.json")]
        return self.program.die(die, *argv)

    def _below(self, path):
        return self.root / path.lstrip("/")

    def _look(self):
        found = {}
        for path in PATHS:
            there = self._below(path)
            if there.exists():
                found[path] = (there.read_text(), stat.S_IMODE(there.stat().st_mode))
        return found

    def _heard(self):
        return {log.name: log.read_text().split(END)[:-1] for log in self.log.iterdir()}

    def _write_image(self):
        files = [
            {
                "path": path,
                "content": wanted.content,
                "mode": f"{wanted.mode:04o}",
                "when": "once" if wanted.once else "always",
                "notify": [f"h{PATHS.index(path)}"] if wanted.notify else [],
            }
            for path, wanted in self.document.items()
        ]
        handlers = {f"h{number}": self._listener(number) for number in range(len(PATHS))}
        document = {"version": 1, "files": files, "handlers": handlers}
        image = self.root / "etc/imds-bootstrap"
        (image / "config.d/10-app.yaml").write_text(json.dumps(document))
        (image / "agent.yaml").write_text(json.dumps({"prune": self.prune}))

    def _listener(self, number):
        """A handler that notes what its file holds."""
        read = f"cat {self._below(PATHS[number])}; echo '{END.strip()}'"
        return ["sh", "-c", f"({read}) >>{self.log}/h{number}"]

    def _write_instance(self):
        tags = [{"name": "Color", "value": self.color}]
        compute = {**INSTANCE["compute"], "tagsList": tags}
        instance = {**INSTANCE, "compute": compute}
        (self.folder / "instance.json").write_text(json.dumps(instance))


def test_any_life_of_a_machine(tmp_path):
    """Whatever happens in whatever order, a run leads to what its documents ask for."""
    program = Program(tmp_path)
    try:
        run_state_machine_as_test(
            type("ThisLife", (Life,), {"program": program}),
            settings=settings(
                max_examples=LIVES,
                stateful_step_count=EVENTS,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        program.close()
