"""The example userData of packaging/image: the program takes it, alone and beside cloud-init."""

import base64
import json
import os
import shutil
import subprocess
import sys
from email import message_from_bytes
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest
import yaml

from bootstrap.config.userdata import MARK, decode

CHECKOUT = Path(__file__).parents[2]
IMAGE = CHECKOUT / "templates" / "image"
EXAMPLES = CHECKOUT / "packaging" / "image" / "userdata"
BUILDER = EXAMPLES / "multipart.py"
DOCUMENT = EXAMPLES / "shop.yaml"
CLOUD_CONFIG = EXAMPLES / "cloud-config.yaml"


def program(*words, **more):
    """Run the program; gives what it said."""
    command = [sys.executable, "-m", "bootstrap", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, **more)


def multipart(*words):
    """Run the script that joins userData."""
    command = [sys.executable, "-I", str(BUILDER), *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.fixture
def machine(tmp_path):
    """The root of a machine that was made from the image of templates/image."""
    target = tmp_path / "root" / "etc" / "imds-bootstrap"
    target.parent.mkdir(parents=True)
    shutil.copytree(IMAGE, target)
    return tmp_path / "root"


@pytest.fixture
def both():
    """The userData that serves cloud-init and the program."""
    made = multipart(DOCUMENT, CLOUD_CONFIG)
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_the_document_is_valid_on_a_machine_of_the_image(machine):
    """The image's settings allow what the example asks for, and its schema takes the values."""
    said = program("--root", machine, "validate", DOCUMENT)
    assert (said.returncode, said.stderr) == (0, b"")


def test_a_wrong_document_would_be_noticed(machine, tmp_path):
    """The check above can fail: a value that the image's schema forbids is found."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(DOCUMENT.read_text().replace("server_name", "servername"))
    said = program("--root", machine, "validate", wrong)
    assert said.returncode == 1
    assert b"servername" in said.stdout


def test_the_multipart_is_a_valid_userdata(machine, both):
    """`validate` takes the joined form as it takes the plain one."""
    said = program("--root", machine, "validate", "-", input=both)
    assert (said.returncode, said.stderr) == (0, b""), said.stdout


def test_the_program_finds_its_own_part(both):
    """The reader that runs at boot gives the document, to the byte."""
    found = decode(base64.b64encode(both).decode())
    assert (found.kind, found.text) == ("document", DOCUMENT.read_text())


def test_cloud_init_finds_its_own_part(both):
    """There is a cloud-config part, to the byte, and no third one."""
    parts = {part.get_content_type(): part for part in message_from_bytes(both).get_payload()}
    assert set(parts) == {"text/x-imds-bootstrap", "text/cloud-config"}
    assert parts["text/cloud-config"].get_payload(decode=True) == CLOUD_CONFIG.read_bytes()


def test_the_cloud_config_is_one():
    """cloud-init knows it by its first line, and it is a mapping of its modules."""
    text = CLOUD_CONFIG.read_text()
    assert text.startswith("#cloud-config\n")
    assert set(yaml.safe_load(text)) <= {"timezone", "write_files"}


def test_the_order_of_the_files_does_not_matter(both):
    """Whichever stands first, both parts are found."""
    turned = multipart(CLOUD_CONFIG, DOCUMENT).stdout
    assert turned != both
    assert decode(base64.b64encode(turned).decode()).text == DOCUMENT.read_text()


def test_the_same_files_make_the_same_bytes(both):
    """Built again, the userData is the same: a scale set is not rolled for nothing."""
    assert multipart(DOCUMENT, CLOUD_CONFIG).stdout == both


def test_base64_is_what_the_api_takes(both):
    """`--base64` prints one line that decodes to the message."""
    encoded = multipart("--base64", DOCUMENT, CLOUD_CONFIG).stdout
    assert encoded.count(b"\n") == 1
    assert base64.b64decode(encoded.strip(), validate=True) == both


def test_each_layer_has_its_say(machine, both, tmp_path):
    """The userData sets the name, the tag picks the environment, the image brings the rest."""
    tags = [{"name": "Environment", "value": "prod"}, {"name": "config:web.port", "value": "9443"}]
    compute = {
        "vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
        "location": "westeurope",
        "azEnvironment": "AzurePublicCloud",
        "tagsList": tags,
        "userData": base64.b64encode(both).decode(),
    }
    saved = tmp_path / "instance.json"
    saved.write_text(json.dumps({"compute": compute, "network": {"interface": []}}))
    words = ("show", "config", "--origin", "--offline", saved)
    said = program("--root", machine, *words)
    origins = {}
    for line in said.stdout.decode().splitlines():
        name, _, rest = line.partition(" = ")
        value, _, origin = rest.partition(" # ")
        origins[name] = (value.strip(), origin)
    assert origins["values.web.server_name"][0] == "shop.contoso.com"
    assert origins["values.web.server_name"][1].startswith("userData:")
    assert origins["values.web.port"] == ("9443", "tag config:web.port")
    assert origins["values.app.workers"][0] == "16"
    assert origins["values.app.api_key"][0] == "***"


def test_what_cloud_init_joins_is_understood(machine):
    """`cloud-init devel make-mime` builds its message of these two classes of Python's own."""
    message = MIMEMultipart()
    for file, kind in ((DOCUMENT, "x-imds-bootstrap"), (CLOUD_CONFIG, "cloud-config")):
        message.attach(part := MIMEText(file.read_text(), kind, "utf-8"))
        part.add_header("Content-Disposition", f'attachment; filename="{file.name}"')
    said = program("--root", machine, "validate", "-", input=str(message).encode())
    assert (said.returncode, said.stderr) == (0, b""), said.stdout


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (["#cloud-config\n"], "0 of the files begin with #imds-bootstrap"),
        ([f"{MARK}\n", f"{MARK}\n"], "2 of the files begin with #imds-bootstrap"),
        ([f"{MARK}\n", "#!/bin/sh\n"], "a part begins with b'#!/bin/sh'"),
        ([f"{MARK}\n", ""], "a part begins with b''"),
        ([f"{MARK}\nversion: 1\n# {os.urandom(30000).hex()}\n"], "Azure takes 65536"),
        ([None], "reading part-0: No such file"),
    ],
)
def test_what_cannot_be_right_is_refused(contents, complaint, tmp_path, monkeypatch):
    """One sentence says why, and nothing is printed that could be deployed."""
    monkeypatch.chdir(tmp_path)
    for number, content in enumerate(contents):
        if content is not None:
            (tmp_path / f"part-{number}").write_text(content)
    said = multipart(*(f"part-{number}" for number in range(len(contents))))
    assert (said.returncode, said.stdout) == (1, b"")
    assert said.stderr.startswith(b"multipart: ")
    assert complaint in said.stderr.decode()
    assert b"Traceback" not in said.stderr
