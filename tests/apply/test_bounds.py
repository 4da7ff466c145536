from __future__ import annotations

import pytest

from bootstrap.errors import UnsafeDestination


@pytest.fixture
def tree(machine):
    """Links in the image: out of the allowed folders, within them, and one that is allowed."""
    machine.put("/etc/cron.d/daily", "")
    machine.put("/srv/real/x", "")
    machine.put("/data/opt/x", "")
    links = {
        "/srv/out": "/etc/cron.d",
        "/srv/in": "real",
        "/srv/twice": "out",
        "/srv/file": "/etc/cron.d/daily",
        "/srv/dangling": "/etc/cron.d/new",
        "/srv/real/up": "../../etc",
        "/opt": "/data/opt",
    }
    for link, target in links.items():
        machine.path(link).symlink_to(target)
    return machine


@pytest.mark.parametrize(
    ("path", "lands", "link"),
    [
        ("/srv/out/job", "/etc/cron.d/job", "/srv/out → /etc/cron.d"),
        ("/srv/out/deep/job", "/etc/cron.d/deep/job", "/srv/out → /etc/cron.d"),
        ("/srv/twice/job", "/etc/cron.d/job", "/srv/twice → out"),
        ("/srv/in/up/job", "/etc/job", "/srv/in/up → ../../etc"),
        ("/srv/file", "/etc/cron.d/daily", "/srv/file → /etc/cron.d/daily"),
        ("/srv/dangling", "/etc/cron.d/new", "/srv/dangling → /etc/cron.d/new"),
    ],
)
def test_link_leads_no_file_of_user_data_out(tree, wanted, path, lands, link):
    """It is the place that counts and not the text; the error names the link."""
    before = tree.tree()
    spec = wanted(path, within=("/srv", "/opt"), symlink="follow")
    with pytest.raises(UnsafeDestination) as caught:
        tree.apply(wanted("/a"), spec)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert f"at {lands}, where the link {link} leads it" in problem.message
    assert "user_data.paths" in problem.hint
    assert tree.tree() == before
    tree.apply(wanted(path, symlink="follow"))  # the image itself may


@pytest.mark.parametrize("path", ["/srv/in/a", "/srv/real/a", "/srv/a", "/opt/x", "/opt/new/a"])
def test_links_within_the_allowed_folders_are_no_matter(tree, wanted, path):
    """A link may lead from one allowed place to another, and an allowed folder may be one."""
    (change,) = tree.apply(wanted(path, within=("/srv", "/opt"))).changes
    with open(change.place.path) as file:
        assert file.read() == "new\n"


def test_whole_machine_may_be_allowed(tree, wanted):
    """Where userData may write anywhere, links lead nowhere else."""
    tree.apply(wanted("/srv/out/job", within=("/",)))
