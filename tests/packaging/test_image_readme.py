"""The page that leads through the image recipes: short, and every line of it can be followed."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bootstrap.cli.options import parse

CHECKOUT = Path(__file__).parents[2]
RECIPES = CHECKOUT / "packaging" / "image"
PAGE = RECIPES / "README.md"
LONGEST = 120  # lines that somebody reads before they begin
OURS = "imds-bootstrap"


def commands():
    """Every command line of the page's blocks, in words."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def of(*beginning):
    """The command lines that begin so, without that."""
    length = len(beginning)
    return [words[length:] for words in commands() if tuple(words[:length]) == beginning]


def option(words, name):
    """What follows an option."""
    return words[words.index(name) + 1]


def test_the_page_is_short():
    """It is read before anything is built."""
    assert len(PAGE.read_text().splitlines()) <= LONGEST


def test_links_lead_somewhere():
    """Each folder and file that the page names is there."""
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text())
    assert links
    for link in links:
        assert "://" in link or (PAGE.parent / link).exists(), link


def test_every_recipe_is_told_of():
    """No folder is left for the reader to find."""
    told = set(re.findall(r"\]\(([a-z]+)\)", PAGE.read_text()))
    assert told == {path.name for path in RECIPES.iterdir() if path.is_dir()}


def texts():
    """The page and all recipes: what may hold a command of ours."""
    files = [
        path for path in RECIPES.glob("**/*") if path.is_file() and "__pycache__" not in str(path)
    ]
    return {path.relative_to(RECIPES).as_posix(): path.read_text() for path in sorted(files)}


@pytest.mark.parametrize("name", texts())
def test_every_command_of_ours_is_one(name, tmp_path, monkeypatch):
    """Verbs and options are those of the program."""
    monkeypatch.chdir(tmp_path)
    text = texts()[name]
    quoted = re.findall(rf"`{OURS} ([^`]+)`", text)
    typed = re.findall(rf"^ *(?:chroot \"\$1\" )?{OURS} ([^\n|>]+)", text, re.MULTILINE)
    for line in quoted + [one.partition("' \\")[0].partition(" || ")[0] for one in typed]:
        words = shlex.split(line.rstrip("'\\ "), comments=True)
        if words != ["--version"]:
            assert parse(words).command


def test_ours_are_found():
    """The search above finds what it is for."""
    assert len(re.findall(rf"^{OURS} ", PAGE.read_text(), re.MULTILINE)) >= 5
    assert f"    {OURS} validate" in texts()["packer/configure.sh"].replace("        ", "    ")


def test_what_is_validated_is_valid(tmp_path):
    """The commands that validate, run in a copy of the checkout as they stand there."""
    shutil.copytree(CHECKOUT / "templates" / "image", tmp_path / "configuration")
    examples = tmp_path / "packaging" / "image" / "userdata"
    shutil.copytree(RECIPES / "userdata", examples)
    ((*joining, arrow, joined),) = of("python3")
    assert arrow == ">"
    with (examples / joined).open("wb") as output:
        subprocess.run([sys.executable, *joining], cwd=examples, stdout=output, check=True)
    validated = of(OURS, "validate")
    assert len(validated) == 3
    for words in validated:
        known = [word.replace("$schema", "configuration/values.schema.json") for word in words]
        said = subprocess.run(
            [sys.executable, "-m", "bootstrap", "validate", *known],
            cwd=examples if joined in words else tmp_path,
            capture_output=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr
    assert ["schema=configuration/values.schema.json"] in commands()


def test_deployments_name_what_the_templates_ask_for():
    """Each template exists, and gets the parameters that have no default, and no others."""
    deployed = of("az", "deployment", "group", "create") + of("az", "deployment", "sub", "create")
    assert len(deployed) == 2
    for words in deployed:
        text = (CHECKOUT / option(words, "--template-file")).read_text()
        needed = set(re.findall(r"^param (\w+) \w+$", text, re.MULTILINE))
        given = words[words.index("--parameters") + 1 :]
        assert {one.partition("=")[0] for one in given} == needed


def test_the_gallery_is_the_one_that_packer_fills():
    """What the az lines create is what the example values name."""
    text = (RECIPES / "packer" / "example.pkrvars.hcl").read_text()
    values = dict(re.findall(r'^(\w+) += "(.*)"$', text, re.MULTILINE))
    for words in of("az", "sig", "image-definition"):
        assert option(words, "--resource-group") == values["resource_group"]
        assert option(words, "--gallery-name") == values["gallery"]
        assert option(words, "--gallery-image-definition") == values["image_definition"]
    (made,) = of("az", "sig", "image-definition", "create")
    assert option(made, "--os-state") == "Generalized"  # the capture deprovisions
    assert option(made, "--hyper-v-generation") == "V2"  # image_sku is a gen2


def test_the_secret_is_the_one_that_userdata_names():
    """Vault and secret of the az lines are those of the example."""
    document = yaml.safe_load((RECIPES / "userdata" / "shop.yaml").read_text())
    reference = document["values"]["app"]["api_key"]
    named = dict(one.split("=") for one in reference.partition("(")[2].rstrip(")").split(";"))
    (words,) = of("az", "keyvault", "secret", "set")
    assert option(words, "--vault-name") == named["VaultName"]
    assert option(words, "--name") == named["SecretName"]
    (words,) = of("az", "deployment", "group", "create")
    assert f"vaultName={named['VaultName']}" in words


def test_the_policy_is_remediated_by_its_name():
    """The remediation names the assignment that the template makes."""
    (words,) = of("az", "policy", "remediation", "create")
    text = (RECIPES / "policy" / "assign.bicep").read_text()
    assert f"name: '{option(words, '--policy-assignment')}'" in text
