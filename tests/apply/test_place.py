from __future__ import annotations

import errno

import pytest

from bootstrap.fs.path import resolve


def test_absolute_link_stays_below_the_root(machine):
    """A folder that links to an absolute path is read as the tree below the root reads it."""
    machine.path("/data").mkdir()
    machine.path("/etc").symlink_to("/data")
    place = resolve("/etc/shop.conf", str(machine.root))
    assert place.path == str(machine.path("/data/shop.conf"))


def test_climbing_link_stays_below_the_root(machine):
    """No number of `..` in a link leads above the root."""
    machine.path("/etc").symlink_to("../../../../../../outside")
    place = resolve("/etc/x", str(machine.root))
    assert place.path == str(machine.path("/outside/x"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc//shop/./a", "etc/shop/a"),
        ("/etc/../x", "x"),
        ("/../../x", "x"),
        ("/a/b/", "a/b"),
        ("/", ""),
    ],
)
def test_path_is_taken_apart(machine, path, expected):
    """Dots, double slashes and a slash at the end mean what they mean to the system."""
    assert resolve(path, str(machine.root)).relative == expected


def test_last_link_is_followed_only_on_request(machine):
    """The last name stands for itself unless it shall be followed, through every further link."""
    machine.path("/one").symlink_to("/two")
    machine.path("/two").symlink_to("three")
    assert resolve("/one", str(machine.root)).relative == "one"
    assert resolve("/one", str(machine.root), follow=True).relative == "three"


def test_circle_of_links_is_an_error(machine):
    """Links that go in circles are an error and not a loop."""
    machine.path("/one").symlink_to("/two")
    machine.path("/two").symlink_to("/one")
    with pytest.raises(OSError, match="symbolic links") as caught:
        resolve("/one/x", str(machine.root))
    assert caught.value.errno == errno.ELOOP


def test_folders_above(machine):
    """A place knows the folders that lead to it, outermost first."""
    place = resolve("/a/b/c", str(machine.root))
    assert [above.relative for above in place.parents()] == ["a", "a/b"]
    assert place.name == "c"
    assert place.sibling("d").relative == "a/b/d"
    assert resolve("/c", "/").sibling("d").path == "/d"
