"""What holds of a machine after a run was disturbed, and after the next one.

Each function gives the broken promises as sentences; none is what is hoped for.
"""

import json

from victim import CHECKS, HANDLERS, IN_PLACE, MARK, OWN, lstat

SAYS_PLAN = ("changes", "handlers")


class Expected:
    """The targets before and after an undisturbed run, its tree, and what its handlers read."""

    def __init__(self, machine, *, code=0, old=None):
        self.old = machine.before if old is None else old
        ended = machine.run()
        assert ended.code == code, ended.err
        self.new = machine.targets()
        self.tree = machine.tree()
        self.heard = machine.heard()
        self.handlers = ended.answer.get("handlers", [])
        self.checks = CHECKS


def broken_at_once(machine, expected):
    """Right after the disturbance: every target is whole, and nothing is open too wide."""
    now = machine.targets()
    for path in expected.old.keys() | expected.new.keys():
        old, new, there = expected.old.get(path), expected.new.get(path), now.get(path)
        if there in (old, new):
            continue
        if there is None:
            yield f"{path} is missing"
        elif not (path == IN_PLACE and _torn(old, new, there)):
            yield f"{path} is {there}, which is neither {old} nor {new}"
    yield from _too_wide(machine, expected)


def _torn(old, new, there):
    """A file that is written in place may be half written until the next run, but no worse."""
    parts = {new.data[:at] + old.data[at:] for at in range(len(new.data) + 1)}
    return there.data in parts and there.mode & ~(old.mode | new.mode) == 0


def _too_wide(machine, expected):
    """A staged file or a kept one never grants what its target does not."""
    for path, entry in lstat(machine.root).items():
        if MARK not in path.rpartition("/")[2] or entry.kind != "file" or path.startswith(OWN):
            continue
        folder = path.rpartition("/")[0]
        granted = [
            one.mode
            for tree in (expected.old, expected.new)
            for target, one in tree.items()
            if target.startswith(f"{folder}/") and one.data == entry.data
        ]
        if entry.mode and all(entry.mode & ~mode for mode in granted):
            yield f"{path} is {entry}, wider than its target"


def all_or_none(machine, expected, *, but=()):
    """After an error that was told: all files are the old ones, or all are the new ones."""
    now = {path: entry for path, entry in machine.targets().items() if path not in but}
    trees = [
        {path: entry for path, entry in tree.items() if path not in but}
        for tree in (expected.old, expected.new)
    ]
    if now not in trees:
        olds = sorted(path for path in trees[0] | trees[1] if now.get(path) == trees[0].get(path))
        news = sorted(path for path in trees[0] | trees[1] if now.get(path) == trees[1].get(path))
        yield f"the files are neither all old nor all new: old {olds}, new {news}"


def broken_later(machine, expected):
    """The next run reaches what was asked for, says what it does, and the one after has no work."""
    stamps = machine.stamps()
    plan = machine.plan()
    if plan.code:
        yield f"plan ends with {plan.code}: {plan.err}"
    if machine.stamps() != stamps:
        yield f"plan wrote something: {_differing(stamps, machine.stamps())}"
    ended = machine.run()
    if ended.code:
        yield f"the next run ends with {ended.code}: {ended.err}"
        return
    if plan.code == 0:
        yield from _disagreement(plan.answer, ended.answer)
    yield from unlike(machine, expected)
    stamps = machine.stamps()
    again = machine.run()
    if again.code or again.answer["result"] != "unchanged":
        yield f"the run after it ends with {again.code}: {again.out}{again.err}"
    if machine.stamps() != stamps:
        yield f"an unchanged run wrote {_differing(stamps, machine.stamps())}"


def unlike(machine, expected, *, but=()):
    """The tree is the undisturbed run's, name by name, and every handler knows the new files."""
    tree = machine.tree()
    for path in sorted(tree.keys() | expected.tree.keys()):
        if tree.get(path) != expected.tree.get(path):
            yield from _unlike(path, tree.get(path), expected.tree.get(path), but)
    heard = machine.heard()
    for name in HANDLERS:
        last, wanted = heard.get(name, [])[-1:], expected.heard.get(name, [])[-1:]
        if last != wanted:
            yield f"handler {name} read {last} last, and not {wanted}"


def _unlike(path, found, wanted, but):
    if found and wanted and path.endswith("/state.json"):
        found, wanted = json.loads(found.data), json.loads(wanted.data)
        for name in (found | wanted).keys() - {*but}:
            if found.get(name) != wanted.get(name):
                yield f"{path}: {name} is {found.get(name)} instead of {wanted.get(name)}"
    else:
        yield f"{path} is {found} instead of {wanted}"


def _disagreement(plan, run):
    for part in SAYS_PLAN:
        said, did = ([json.dumps(one) for one in answer.get(part, [])] for answer in (plan, run))
        if said != did:
            only_said = [one for one in said if one not in did]
            only_did = [one for one in did if one not in said]
            yield f"plan and run differ in {part}: plan said {only_said}, run did {only_did}"


def _differing(before, after):
    return sorted(name for name in before | after if before.get(name) != after.get(name))
