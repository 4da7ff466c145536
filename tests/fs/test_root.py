"""Below --root every file that the agent reads is the tree's own, whatever its links say."""

from __future__ import annotations

import os

import pytest

from bootstrap.errors import ImageError, SettingsError
from bootstrap.fs.root import exists_in_root, resolve_in_root
from bootstrap.image import read_image
from bootstrap.platform.firmware import read_firmware
from bootstrap.report.status import read_status
from bootstrap.settings.load import load

OUTSIDE = "/etc/hostname"


@pytest.fixture
def target_root(tmp_path):
    """A tree that has a file of its own where the host may have one, too."""
    root = tmp_path / "root"
    for path, text in {
        OUTSIDE: "the tree's",
        "/etc/imds-bootstrap/templates/plain.j2": "plain",
        "/etc/imds-bootstrap/config.d/10.yaml": "version: 1\n",
    }.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def link(root, path, target):
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(target)


def image(root):
    return read_image(
        str(root),
        templates=("/etc/imds-bootstrap/templates",),
        values_schema="/etc/imds-bootstrap/values.schema.json",
    )


@pytest.mark.parametrize("target", [OUTSIDE, "../../../../../../../../../etc/hostname"])
def test_a_template_that_is_a_link_is_read_inside_the_root(target_root, target):
    """An absolute link, and one with any number of `..`, both end at the tree's own file."""
    link(target_root, "/etc/imds-bootstrap/templates/host.j2", target)
    assert image(target_root).templates["host.j2"][1] == b"the tree's"


def test_a_link_to_what_only_the_host_has_leads_nowhere(target_root, tmp_path):
    """A file of the host is not read in the place of a missing one."""
    (tmp_path / "secret").write_text("the host's")
    link(target_root, "/etc/imds-bootstrap/templates/host.j2", tmp_path / "secret")
    with pytest.raises(ImageError, match=r"host\.j2 of the image: No such file"):
        image(target_root)


def test_folders_of_the_image_are_read_inside_the_root(target_root, tmp_path):
    """A folder of templates that is a link is the tree's, not the host's."""
    host = tmp_path / "elsewhere"
    host.mkdir()
    (host / "evil.j2").write_text("the host's")
    link(target_root, "/opt/templates", "/srv/templates")
    (target_root / "srv/templates").mkdir(parents=True)
    (target_root / "srv/templates/own.j2").write_text("own")
    read = read_image(
        str(target_root),
        templates=("/opt/templates",),
        values_schema="/etc/imds-bootstrap/values.schema.json",
    )
    assert list(read.templates) == ["own.j2"]
    link(target_root, "/opt/gone", host)
    with pytest.raises(ImageError, match="/opt/gone"):
        read_image(str(target_root), templates=("/opt/gone",), values_schema="/none")


@pytest.mark.parametrize("name", ["agent.yaml", "agent.d/10.yaml"])
def test_settings_are_read_inside_the_root(target_root, tmp_path, name):
    """A link in the tree cannot bring in the host's settings."""
    (tmp_path / "agent.yaml").write_text("deadline: 7\n")
    (target_root / "srv").mkdir()
    (target_root / "srv/agent.yaml").write_text("deadline: 8\n")
    link(target_root, f"/etc/imds-bootstrap/{name}", "/srv/agent.yaml")
    assert load(root=str(target_root)).deadline == 8
    (target_root / "etc/imds-bootstrap" / name).unlink()
    link(target_root, f"/etc/imds-bootstrap/{name}", tmp_path / "agent.yaml")
    if name == "agent.yaml":
        assert load(root=str(target_root)).deadline == load(root=str(tmp_path)).deadline
    else:
        with pytest.raises(SettingsError, match=r"agent\.d/10\.yaml: No such file"):
            load(root=str(target_root))


def test_status_and_firmware_are_read_inside_the_root(target_root, tmp_path):
    """The host's status and the host's firmware are not the tree's."""
    (tmp_path / "status.json").write_text('{"schema": 1, "result": "configured"}')
    link(target_root, "/run/imds-bootstrap/status.json", tmp_path / "status.json")
    assert read_status(str(target_root)) is None
    (tmp_path / "tag").write_text("7783-7084-3265-9085-8269-3286-77")
    link(target_root, "/sys/class/dmi/id/chassis_asset_tag", tmp_path / "tag")
    assert read_firmware(str(target_root)).asset_tag is None
    link(target_root, "/sys/class/dmi/id/product_uuid", "/etc/hostname")
    assert read_firmware(str(target_root)).vm_id is None


def test_links_in_a_circle_are_told(target_root):
    """They end in the error of what was being read, or in "there is none"."""
    link(target_root, "/opt/a", "/opt/b")
    link(target_root, "/opt/b", "/opt/a")
    with pytest.raises(OSError, match="Too many levels"):
        resolve_in_root("/opt/a", str(target_root))
    assert not exists_in_root("/opt/a", str(target_root))
    with pytest.raises(ImageError, match="/opt/a of the image"):
        read_image(str(target_root), templates=("/opt/a",), values_schema="/none")


def test_the_machines_own_root_is_left_to_the_system():
    """Nothing is resolved twice on a boot, and a link that is missing stays what it is."""
    assert resolve_in_root("/no/such/file", "/") == "/no/such/file"
    assert resolve_in_root("/proc/self", "/") == "/proc/self"


def test_the_last_link_is_followed_only_if_asked(target_root):
    """Whether a name exists can be asked of the link itself."""
    link(target_root, "/opt/now", "/opt/v1")
    root = str(target_root)
    assert resolve_in_root("/opt/now", root) == os.path.join(root, "opt/v1")
    assert resolve_in_root("/opt/now", root, follow=False) == os.path.join(root, "opt/now")
