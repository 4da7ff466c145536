"""The Packer recipe: what it says, and what Packer says of it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import hcl2
import pytest

CHECKOUT = Path(__file__).parents[2]
RECIPE = CHECKOUT / "packaging" / "image" / "packer"
TEMPLATE = RECIPE / "shop.pkr.hcl"
VALUES = RECIPE / "example.pkrvars.hcl"
SCRIPTS = ["install.sh", "configure.sh", "capture.sh"]


def template():
    """The template, parsed."""
    return hcl2.loads(TEMPLATE.read_text())


def provisioners():
    """Kind and settings of each step, in order."""
    (build,) = template()["build"]
    return [(kind.strip('"'), step) for one in build["provisioner"] for kind, step in one.items()]


def test_every_variable_is_declared_and_used():
    """No value is asked for in vain, and none is used that nobody can give."""
    declared = {name.strip('"') for one in template()["variable"] for name in one}
    assert declared == set(re.findall(r"\bvar\.(\w+)", TEMPLATE.read_text()))


def test_the_example_values_are_of_declared_variables():
    """The file of values names variables that exist, and leaves out only what has a default."""
    variables = {
        name.strip('"'): one for all_ in template()["variable"] for name, one in all_.items()
    }
    given = {name for name in hcl2.loads(VALUES.read_text()) if not name.startswith("__")}
    needed = {name for name, one in variables.items() if "default" not in one}
    assert given <= set(variables)
    assert needed - given == {"package"}  # its name holds a version: the README's command finds it


def test_each_script_is_a_step_and_gets_what_was_uploaded():
    """install, configure, capture: in this order, each on a path that an earlier step made."""
    steps = [step for kind, step in provisioners() if kind == "shell" and "script" in step]
    names = [step["script"].strip('"').removeprefix("${path.root}/") for step in steps]
    assert names == SCRIPTS
    made = {step["destination"].strip('"') for kind, step in provisioners() if kind == "file"}
    for step, suffix in zip(steps, ("/imds-bootstrap.deb", "/configuration", ""), strict=True):
        argument = step["execute_command"].strip('"').split()[-1]
        assert argument == f"/tmp/imds-bootstrap{suffix}"
        assert argument in made or not suffix


def test_nothing_comes_after_the_capture():
    """The last step removes the user that runs it: nothing can follow, not even a clean-up."""
    kind, last = provisioners()[-1]
    assert kind == "shell"
    assert last["script"] == '"${path.root}/capture.sh"'
    assert last["skip_clean"] is True


def test_the_image_goes_into_a_gallery():
    """The version lands where the Bicep templates take it from, and in the build's own region."""
    (source,) = template()["source"]
    ((_, builder),) = source['"azure-arm"'].items()
    (target,) = builder["shared_image_gallery_destination"]
    assert [region["name"] for region in target["target_region"]] == [builder["location"]]
    assert builder["os_type"] == '"Linux"'
    assert "specialized" not in target  # a specialized image would keep the machine's identity


def test_packer_finds_nothing_to_complain_about(tmp_path):
    """`packer fmt` and `packer validate` accept the template, without a network.

    Packer before 1.7 (Debian 12 has 1.6.6) has the builder inside, and neither `required_plugins`
    nor `target_region` nor a gallery as the only target: it is given a copy without the three.
    """
    packer = shutil.which("packer")
    if packer is None:
        pytest.skip("packer is not on PATH")
    offline = ["unshare", "--net"] if os.geteuid() == 0 else []
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "PACKER_CONFIG_DIR": str(tmp_path)}

    def run(*words):
        command = [*offline, packer, *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT
        )

    checked = run("fmt", "-check", "-diff", RECIPE)
    assert checked.returncode == 0, checked.stdout
    version = re.search(r"v(\d+)\.(\d+)", run("version").stdout)
    old = (int(version[1]), int(version[2])) < (1, 7)
    if not old and "azure" not in run("plugins", "installed").stdout:
        pytest.skip("packer's plugin for Azure is not installed: `packer init` fetches it")
    copy = shutil.copytree(RECIPE, tmp_path / "recipe")
    if old:
        (copy / TEMPLATE.name).write_text(for_old_packer(TEMPLATE.read_text()))
    package = tmp_path / "imds-bootstrap.deb"
    package.touch()
    words = (f"-var-file={VALUES}", "-var", f"package={package}", copy / TEMPLATE.name)
    valid = run("validate", *words)
    assert valid.returncode == 0, valid.stdout + valid.stderr
    broken = (copy / TEMPLATE.name).read_text().replace("os_type ", "os_typo ")
    (copy / TEMPLATE.name).write_text(broken)
    assert run("validate", *words).returncode != 0, "a wrong template is valid, too"


def for_old_packer(text):
    """The template without what Packer before 1.7 does not know."""
    text, first = re.subn(r"^packer \{\n.*?^\}\n", "", text, flags=re.DOTALL | re.MULTILINE)
    regions = r"target_region \{\s+name = (\S+)\s+\}"
    text, second = re.subn(regions, r"replication_regions = [\1]", text)
    managed = r'managed_image_name = "i"\n  managed_image_resource_group_name = "g"\n  \g<0>'
    text, third = re.subn("shared_image_gallery_destination", managed, text)
    assert (first, second, third) == (1, 1, 1)
    return text
