"""No layer writes what the agent itself reads, by whatever way a path leads there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode

import pytest
import yaml

from bootstrap import agent, resources
from bootstrap.apply.plan.own_paths import OwnPaths
from bootstrap.apply.plan.plan import plan
from bootstrap.config.model import FileSpec
from bootstrap.config.reserved_paths import AUTHORITIES
from bootstrap.config.resolve import validate
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, InvalidDocument, UnsafeDestination
from bootstrap.render.rendered import Rendered
from bootstrap.settings import Settings, UserDataSettings, VaultSettings
from bootstrap.state.manifest import Written

VM_ID = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
TEXT = "{{ values.text }}\n"


class Golden:
    """An image in a folder, run with the userData that somebody deployed."""

    def __init__(self, root):
        self.root = root
        self.settings_file = None

    def path(self, path):
        return self.root / path.lstrip("/")

    def put(self, path, content=""):
        where = self.path(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(content)
        return where

    def link(self, path, target):
        where = self.path(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.symlink_to(target)

    def settings(self, **stated):
        self.put("/etc/imds-bootstrap/agent.yaml", yaml.safe_dump(stated))

    def template(self, folder="/etc/imds-bootstrap/templates"):
        self.put(f"{folder}/text.j2", TEXT)

    def run(self, *paths, text="evil", environ=None, files=()):
        """Run with a userData that places files from the image's template at `paths`."""
        entries = [{"path": path, "template": "text.j2"} for path in paths]
        document = {"version": 1, "values": {"text": text}, "files": [*entries, *files]}
        user_data = b64encode(yaml.safe_dump(document).encode()).decode()
        saved = self.root.parent / "instance.json"
        compute = {"vmId": VM_ID, "userData": user_data, "tagsList": []}
        saved.write_text(json.dumps({"compute": compute}))
        machine = Context(
            root=str(self.root), environ=environ or {}, settings_file=self.settings_file
        )
        return agent.run(machine, offline=str(saved))

    def refuses(self, *paths, match="it leads to", kind=UnsafeDestination, **arguments):
        """The run stops, names the file, and nothing is there."""
        before = {path: self._look(path) for path in paths}
        with pytest.raises(kind) as caught:
            self.run(*paths, **arguments)
        assert [one.path for one in caught.value.problems if match in one.message]
        assert {path: self._look(path) for path in paths} == before

    def _look(self, path):
        where = self.path(path)
        return where.read_text() if where.is_file() else where.is_symlink()


@pytest.fixture
def golden(tmp_path):
    golden = Golden(tmp_path / "root")
    golden.root.mkdir()
    golden.template()
    return golden


def rendered(path, **spec):
    spec = FileSpec(path=str(path), content="x", **spec)
    return Rendered(spec=spec, content=b"x", secret=False)


def test_user_data_brings_no_template_by_a_value(golden):
    """A folder of templates below an allowed folder is none of userData's."""
    golden.template("/opt/shop/templates")
    golden.settings(templates=["/opt/shop/templates"])
    golden.refuses("/opt/shop/templates/evil.j2", text="{{ 6*7 }}", match="finds its templates")
    golden.refuses("/opt/shop/templates/deep/evil.j2", match="finds its templates")
    golden.run("/opt/shop/shop.conf")  # beside it everything is as it was
    assert golden.path("/opt/shop/shop.conf").read_text() == "evil\n"


def test_user_data_brings_no_schema_of_values(golden):
    """The schema that judges userData is not written by userData."""
    golden.put("/opt/shop/values.json", "{}")
    golden.settings(values_schema="/opt/shop/values.json")
    golden.refuses("/opt/shop/values.json", text="true", match="schema of the values")


@pytest.mark.parametrize(
    "path",
    [
        "/opt/golden/agent.d/zz.yaml",
        "/opt/golden/agent.yaml",
        "/opt/golden/config.d/zz.yaml",
        "/opt/golden/templates/text.j2",
        "/opt/golden/anything",
        "/opt/other/agent.d/zz.yaml",
        "/srv/way/agent.d/zz.yaml",
        "/srv/way",
        "/opt/golden",
    ],
)
def test_a_link_in_the_place_of_the_agents_folder_opens_nothing(golden, path):
    """Where /etc/imds-bootstrap is a link, what it leads to is the agent's, by every way."""
    configuration = golden.path("/etc/imds-bootstrap")
    golden.path("/opt").mkdir()
    configuration.rename(golden.path("/opt/golden"))
    golden.link("/etc/imds-bootstrap", "../srv/way")
    golden.link("/srv/way", "../opt/golden")
    golden.link("/opt/other", "golden")
    with pytest.raises(UnsafeDestination):
        golden.run(path)
    assert not golden.path("/opt/golden/agent.d").exists()
    golden.run("/opt/ok")


@pytest.mark.parametrize("name", ["agent.d", "config.d", "templates"])
@pytest.mark.parametrize("path", ["zz.yaml", "real.yaml", "deep/x", "loose.yaml"])
def test_a_link_within_the_agents_folder_opens_nothing(golden, name, path):
    """A folder, or one file of one, may lie elsewhere: it is the agent's there too."""
    golden.put("/opt/parts/real.yaml", "{}" if name == "agent.d" else "version: 1\n")
    golden.put("/opt/loose.yaml", "{}" if name == "agent.d" else "version: 1\n")
    golden.link("/opt/parts/loose.yaml", "../loose.yaml")
    if name == "templates":
        golden.put("/opt/parts/text.j2", TEXT)
        golden.path("/etc/imds-bootstrap/templates/text.j2").unlink()
        golden.path("/etc/imds-bootstrap/templates").rmdir()
    golden.link(f"/etc/imds-bootstrap/{name}", "../../opt/parts")
    golden.refuses("/opt/loose.yaml" if path == "loose.yaml" else f"/opt/parts/{path}")
    golden.run("/opt/ok")


def test_settings_of_the_command_line_are_out_of_reach(golden):
    """The file that --settings names is not written, though it lies below an allowed folder."""
    own = golden.put("/opt/agent.yaml", "{prune: false}")
    golden.settings_file = str(own)
    golden.refuses("/opt/agent.yaml", text="user_data: {allow: [handlers]}", match="its settings")


@pytest.mark.parametrize("by_root", [True, False])
def test_authorities_of_vaults_are_out_of_reach(golden, by_root):
    """The file of `vaults.ca_file` is not written, wherever the run looks for it."""
    file = golden.put("/opt/ca.pem", "")
    golden.settings(vaults={"ca_file": "/opt/ca.pem" if by_root else str(file)})
    golden.refuses("/opt/ca.pem", match="whom it trusts")
    golden.refuses("/opt/ca.pem/x", match="whom it trusts")


@pytest.mark.parametrize("path", ["/var/opt/azcmagent/tokens/x.key", "/srv/arc/x.key"])
def test_keys_of_arc_are_out_of_reach(golden, path):
    """Nobody puts a key where the agent proves to Azure Arc who it is."""
    golden.settings(user_data={"paths": ["/"]})
    golden.path("/var/opt/azcmagent/tokens").mkdir(parents=True)
    golden.link("/srv/arc", "/var/opt/azcmagent/tokens")
    golden.refuses(path, match="Azure Arc")


def test_user_data_does_not_make_a_machine_arcs(golden):
    """A file in the place of Arc's agent would send the machine's questions to a local port."""
    golden.refuses("/opt/azcmagent/bin/himds", match="the agent of Azure Arc lies")


@pytest.mark.parametrize("path", ["/var/lib/imds-bootstrap/x", "/run/imds-bootstrap/x"])
@pytest.mark.parametrize("link", [False, True])
def test_what_the_agent_remembers_is_out_of_reach(golden, path, link):
    """State, journal, lock and status are written by the agent alone."""
    golden.settings(user_data={"paths": ["/"]})
    if link:
        golden.path(os.path.dirname(path)).mkdir(parents=True)
        golden.link("/opt/in", os.path.dirname(path))
        golden.refuses(f"/opt/in/{os.path.basename(path)}", match="keeps its own files")
    else:
        golden.refuses(path, match="own folders", kind=InvalidDocument)


def test_state_that_lies_elsewhere_is_out_of_reach(golden):
    """A folder of the state may be a link to a larger disk."""
    golden.path("/opt/state").mkdir(parents=True)
    golden.link("/var/lib/imds-bootstrap/instances", "../../../opt/state")
    golden.refuses(f"/opt/state/{VM_ID}/state.json", match="keeps its own files")


def test_image_documents_write_no_part_of_the_agent_either(golden):
    """The rule is for every layer: an image document cannot write a template, by whatever link."""
    golden.template("/opt/shop/templates")
    golden.settings(templates=["/opt/shop/templates"])
    golden.link("/usr/share/shop", "/opt/shop/templates")
    golden.link("/srv/way", "/opt/shop/templates")
    for entry in (
        "{path: /usr/share/shop/evil.j2, content: x}",
        "{path: /srv/way, content: x, symlink: follow}",
    ):
        golden.put("/etc/imds-bootstrap/config.d/10.yaml", f"version: 1\nfiles: [{entry}]\n")
        with pytest.raises(UnsafeDestination, match=r"finds its templates|folder is in the way"):
            golden.run()


def test_what_a_run_on_a_folder_reads_is_out_of_reach(golden):
    """With --root, a link that names the folder itself leads to the same templates."""
    golden.template("/opt/v1")
    golden.settings(templates=["/opt/now"])
    golden.link("/opt/now", str(golden.path("/opt/v1")))
    golden.refuses("/opt/v1/evil.j2", match="finds its templates")


def test_a_link_on_the_way_is_not_replaced(golden):
    """Who replaces a link that leads to the templates says what they are."""
    golden.template("/opt/v1")
    golden.link("/opt/current", "v1")
    golden.settings(templates=["/opt/current"])
    entry = "{path: /opt/current, content: x, symlink: replace}"
    golden.put("/etc/imds-bootstrap/config.d/10.yaml", f"version: 1\nfiles: [{entry}]\n")
    with pytest.raises(UnsafeDestination, match="finds its templates"):
        golden.run()


def test_a_backup_lands_on_no_part_of_the_agent(golden):
    """The copy that `backup` keeps is a file as well."""
    golden.put("/opt/x", "old")
    name = "/opt/x.imds-bootstrap.bak"
    own = OwnPaths(str(golden.root), Settings(values_schema=name))
    with pytest.raises(UnsafeDestination, match="schema of the values"):
        plan([rendered("/opt/x", backup=True)], root=str(golden.root), own=own)
    plan([rendered("/opt/x")], root=str(golden.root), own=own)


def test_a_folder_that_is_not_there_yet_is_out_of_reach(golden):
    """Nobody makes the folder, or a file in its place, that the agent will read."""
    root = str(golden.root)
    own = OwnPaths(root, Settings(templates=("/opt/shop/templates",)))
    for path in ("/opt/shop/templates/x.j2", "/opt/shop/templates", "/opt/shop", "/opt"):
        with pytest.raises(UnsafeDestination, match="finds its templates"):
            plan([rendered(path)], root=root, own=own)
    plan([rendered("/opt/shop/other"), rendered("/opt/shop/templates2")], root=root, own=own)


def test_a_hard_link_is_the_same_file(golden):
    """A second name of the schema is the schema."""
    golden.put("/opt/values.json", "{}")
    os.link(golden.path("/opt/values.json"), golden.put("/srv/a").parent / "second")
    golden.settings(values_schema="/opt/values.json")
    golden.refuses("/srv/second", match="schema of the values")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")
@pytest.mark.parametrize(
    ("what", "path"),
    [
        ("/etc/imds-bootstrap", "/srv/m/agent.d/zz.yaml"),
        ("/etc", "/srv/m/imds-bootstrap/agent.d/zz.yaml"),
        ("/etc/imds-bootstrap/templates", "/srv/m/evil.j2"),
        ("/opt/shop/templates/deep", "/srv/m/evil.j2"),
    ],
)
def test_a_bind_mount_is_the_same_folder(golden, what, path):
    """A folder that is mounted a second time is the agent's there too."""
    golden.template("/opt/shop/templates/deep")
    golden.settings(templates=["/etc/imds-bootstrap/templates", "/opt/shop/templates"])
    target = golden.path("/srv/m")
    target.mkdir(parents=True)
    mount = ["mount", "--bind", str(golden.path(what)), str(target)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.decode().strip()}")
    try:
        golden.refuses(path)
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_prune_removes_no_part_of_the_agent(golden):
    """What was written before the settings named its folder stays, and a note says so."""
    root = str(golden.root)
    golden.path("/opt/shop").mkdir(parents=True)
    file = golden.put("/opt/shop/old.j2", "x")
    status = file.stat()
    record = Written(
        path="/opt/shop/old.j2",
        sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        mode=status.st_mode & 0o777,
        uid=status.st_uid,
        gid=status.st_gid,
        ours=True,
    )
    written = {record.path: record}
    assert plan([], root=root, written=written, prune=True).changes
    own = OwnPaths(root, Settings(templates=("/opt/shop",)))
    planned = plan([], root=root, written=written, prune=True, own=own)
    assert not planned.changes
    assert "kept /opt/shop/old.j2" in planned.notes[0]


@pytest.mark.parametrize("path", [*AUTHORITIES, "/etc/pki/ca-trust/source/anchors"])
def test_user_data_adds_nobody_whom_the_system_trusts(golden, path, document_rules):
    """The trust store is the image's: userData is refused before it is deployed, and on the way."""
    text = f"version: 1\nfiles: [{{path: {path}/evil.pem, template: a}}]\n"
    rules = UserDataSettings(paths=("/",))
    (problem,) = validate(text, "u", document_schema=document_rules, trust=rules)
    assert "certificate authorities of the system" in problem.message
    golden.settings(user_data={"paths": ["/"]})
    golden.link("/srv/trust", path)
    golden.refuses("/srv/trust/evil.pem", match="certificate authorities of the system")
    # The image says whom the system trusts.
    assert plan([rendered("/srv/trust/evil.pem")], root=str(golden.root)).changes


def test_what_an_authority_is_a_link_to_is_trusted_too(golden):
    """A certificate that the trust store only points to is not written by userData."""
    golden.put("/opt/corp/ca.pem")
    golden.link("/etc/ssl/certs/corp.pem", "/opt/corp/ca.pem")
    golden.refuses("/opt/corp/ca.pem", match="certificate authorities of the system")


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_of_the_environment_are_out_of_reach(golden, name):
    """What the environment names in the place of the trust store is the image's as well."""
    file = golden.put("/opt/bundle.pem")
    golden.refuses("/opt/bundle.pem", environ={name: str(file)}, match="whom it trusts")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/systemd/system/imds-bootstrap.service.d/evil.conf",
        "/etc/systemd/system/imds-bootstrap-follow.service",
        "/etc/systemd/system/imds-bootstrap-later.timer.d/evil.conf",
        "/etc/systemd/system/imds-.service.d/evil.conf",
        "/etc/systemd/system/service.d/evil.conf",
        "/etc/systemd/system.conf.d/evil.conf",
        "/etc/systemd/system.conf",
    ],
)
def test_user_data_sets_no_setting_by_the_unit(golden, path, document_rules):
    """The environment of the unit holds settings, so its drop-ins are the image's."""
    text = f"version: 1\nfiles: [{{path: {path}, template: a}}]\n"
    (problem,) = validate(text, "u", document_schema=document_rules, trust=UserDataSettings())
    assert "units that start this agent" in problem.message
    golden.path("/etc/systemd/system").mkdir(parents=True)
    golden.link("/srv/way", "/etc/systemd")
    golden.refuses(path.replace("/etc/systemd", "/srv/way"), match="units that start this agent")
    golden.run("/etc/systemd/system/shop.service.d/override.conf")


def test_a_drop_in_that_lies_elsewhere_is_out_of_reach(golden):
    """A link in the place of the unit's drop-ins leads to the unit's drop-ins."""
    golden.path("/opt/units").mkdir(parents=True)
    golden.link("/etc/systemd/system/imds-bootstrap.service.d", "/opt/units")
    golden.refuses("/opt/units/evil.conf", match="units that start this agent")


def test_no_layer_writes_the_program(golden):
    """The package that runs is out of everybody's reach."""
    package = os.path.dirname(resources.__file__)
    with pytest.raises(UnsafeDestination, match="this program lies"):
        plan([rendered(f"{package}/agent.py")])
    del golden


def test_user_data_brings_no_module_of_python(tmp_path, monkeypatch):
    """A folder from which Python takes modules is the image's."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    spec = {"layer": "userData", "within": ("/",)}
    with pytest.raises(UnsafeDestination, match="Python of this agent"):
        plan([rendered(tmp_path / "yaml.py", **spec)])
    with pytest.raises(UnsafeDestination, match="Python of this agent"):
        plan([rendered(os.path.realpath(sys.executable), **spec)])


def test_a_run_from_a_folder_that_is_gone_goes_on(tmp_path, monkeypatch):
    """Where the agent was started does not matter to what it keeps closed."""
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    spec = {"layer": "userData", "within": ("/",)}
    assert plan([rendered("/tmp/shop-of-nobody", **spec)]).changes


def test_the_paths_of_the_settings_are_all_in_the_list(golden):
    """Each setting that names a path of the agent's closes it: a new one has to be decided."""
    settings = Settings(
        templates=("/a/templates",),
        values_schema="/a/schema",
        vaults=VaultSettings(ca_file="/a/ca"),
    )
    own = OwnPaths(str(golden.root), settings)
    for path in ("/a/templates", "/a/schema", "/a/ca"):
        with pytest.raises(BootstrapError):
            plan([rendered(path)], root=str(golden.root), own=own)


@pytest.fixture(scope="module")
def document_rules():
    return json.loads(resources.read("schema/document.schema.json"))
