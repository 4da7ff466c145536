"""What packaging/windows holds, as far as it can be judged without Windows.

The task is held to a schema of our own, the scripts to a grammar of PowerShell and to a list of the
commands that they may use. None of them has been run: see packaging/windows/README.md.
"""

import re
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell as grammar
import yaml
from lxml import etree

from bootstrap.config.resolve import validate
from bootstrap.resources import read
from bootstrap.settings import Settings

HERE = Path(__file__).parent
WINDOWS = HERE.parents[1] / "packaging" / "windows"
TASK = WINDOWS / "imds-bootstrap.xml"
SCRIPTS = sorted(WINDOWS.glob("*.ps1"))
SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"

# Commands of Windows PowerShell 5.1, and the parameters of each that we use.
ALLOWED = {
    "ForEach-Object": set(),
    "Get-Acl": {"-LiteralPath"},
    "Get-ChildItem": {"-Force", "-LiteralPath", "-Recurse"},
    "Get-Content": {"-LiteralPath", "-Raw"},
    "Get-Item": {"-Force", "-LiteralPath"},
    "Get-ScheduledTask": {"-ErrorAction", "-TaskName"},
    "Join-Path": set(),
    "New-Item": {"-Force", "-ItemType", "-Path"},
    "New-ItemProperty": {"-Force", "-Name", "-Path", "-PropertyType", "-Value"},
    "New-Object": {"-TypeName"},
    "Out-Null": set(),
    "Register-ScheduledTask": {"-Force", "-TaskName", "-Xml"},
    "Remove-Item": {"-Force", "-LiteralPath", "-Recurse"},
    "Set-Acl": {"-AclObject", "-LiteralPath"},
    "Set-StrictMode": {"-Version"},
    "Start-Service": {"-Name"},
    "Stop-ScheduledTask": {"-TaskName"},
    "Test-Path": {"-LiteralPath", "-PathType"},
    "Unregister-ScheduledTask": {"-Confirm", "-TaskName"},
    "Write-Error": {"-ErrorAction"},
    "Write-Output": set(),
}


@pytest.fixture(scope="module")
def schema():
    return etree.XMLSchema(etree.parse(HERE / "task.xsd"))


def text():
    return TASK.read_bytes().decode("utf-16")


def is_valid(schema, told):
    """Whether a file with this text is a task; text that is no XML is none."""
    try:
        return schema.validate(etree.fromstring(told.encode("utf-16")))
    except etree.XMLSyntaxError:
        return False


def test_the_task_is_one(schema):
    """The file says its encoding, and is what the schema asks for."""
    raw = TASK.read_bytes()
    assert raw.startswith(b"\xff\xfe")  # UTF-16 with its mark, as the Task Scheduler writes them
    assert 'encoding="UTF-16"' in text().splitlines()[0]
    assert "\r\n" in text()
    schema.assertValid(etree.fromstring(raw))


WRONG = {
    "an unknown element": ("<Priority>", "<Importance>4</Importance><Priority>"),
    "a duration in words": ("PT10M", "10 minutes"),
    "no limit at all": ("PT10M", "PT0S"),
    "a limit below the deadline": ("PT10M", "PT5M"),
    "tries without a pause": ("<Interval>PT1M</Interval>", ""),
    "tries every second": ("PT1M", "PT1S"),
    "no tries": ("<Count>3", "<Count>0"),
    "an unknown policy": ("IgnoreNew", "Ignore"),
    "an ordinary user": ("S-1-5-18", "S-1-5-32-545"),
    "few rights": ("HighestAvailable", "LeastPrivilege"),
    "a principal that is not there": ('Context="System"', 'Context="Nobody"'),
    "a relative program": ("%ProgramFiles%\\imds-bootstrap\\Scripts\\", ""),
    "a word for yes": ("<Hidden>false", "<Hidden>no"),
    "another namespace": ("2004/02/mit/task", "2005/02/mit/task"),
    "an end that is missing": ("</Task>", ""),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_tasks_are_refused(schema, wrong):
    """The schema refuses what the Task Scheduler would, and what our task must not be."""
    before, after = WRONG[wrong]
    assert before in text()
    assert not is_valid(schema, text().replace(before, after))


@pytest.mark.parametrize("part", ["Triggers", "Principals", "Settings", "Actions", "BootTrigger"])
def test_tasks_without_a_part_are_refused(schema, part):
    """A task without its trigger, its principal, its settings or its program is none."""
    cut = re.sub(rf"<{part}\b.*</{part}>", "", text(), flags=re.DOTALL)
    assert cut != text()
    assert not is_valid(schema, cut)


def test_the_task_runs_the_program_as_it_shall():
    """At startup, on mains and on battery, once at a time, again after a failure, not for ever."""
    task = etree.fromstring(TASK.read_bytes())
    said = {one.tag.removeprefix(SPACE): one.text for one in task.iter(f"{SPACE}*") if one.text}
    assert said["Arguments"] == "run"
    assert said["MultipleInstancesPolicy"] == "IgnoreNew"
    assert said["DisallowStartIfOnBatteries"] == said["StopIfGoingOnBatteries"] == "false"
    assert said["StartWhenAvailable"] == "true"
    assert said["RunOnlyIfNetworkAvailable"] == "false"
    minutes = int(re.fullmatch(r"PT(\d+)M", said["ExecutionTimeLimit"])[1])
    assert minutes * 60 > Settings().deadline


@pytest.fixture(params=SCRIPTS, ids=lambda path: path.name)
def script(request):
    """A script, as the grammar reads it."""
    language = tree_sitter.Language(grammar.language())
    return tree_sitter.Parser(language).parse(request.param.read_bytes()).root_node


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


def broken(root):
    return [one.start_point for one in nodes(root) if one.type == "ERROR" or one.is_missing]


def words(command):
    """The name of a command, and its parameters."""
    inside = [one for one in nodes(command) if one is command or one.type != "command"]
    name = next((one.text.decode() for one in inside if one.type == "command_name"), None)
    parts = next((one for one in command.children if one.type == "command_elements"), None)
    given = [one for one in (parts.children if parts else ()) if one.type == "command_parameter"]
    return name, {one.text.decode().partition(":")[0] for one in given}


def test_the_scripts_are_powershell(script):
    """The grammar reads them from beginning to end."""
    assert broken(script) == []


def test_the_grammar_notices():
    """A brace or a quote that is missing is seen, or the test above would prove nothing."""
    language = tree_sitter.Language(grammar.language())
    told = SCRIPTS[0].read_bytes()
    for cut in (b"    exit 1\n}", b"'imds-bootstrap.xml'", b"$Trusted = @("):
        assert cut in told
        changed = told.replace(cut, cut[:-1], 1)
        assert broken(tree_sitter.Parser(language).parse(changed).root_node), cut


def test_the_scripts_use_known_commands(script):
    """Each command is one of the list, with parameters that it has."""
    own = {one.text.decode() for one in nodes(script) if one.type == "function_name"}
    used = [words(one) for one in nodes(script) if one.type == "command"]
    assert used
    for name, given in used:
        if name is None or name in own:  # `& $Program`, which has no parameters of PowerShell
            continue
        assert name in ALLOWED, name
        assert given <= ALLOWED[name], (name, given - ALLOWED[name])


def test_the_installer_registers_what_the_program_uses():
    """Folders, event source and registry key are those of the program's Windows side."""
    told = (WINDOWS / "Install-ImdsBootstrap.ps1").read_text()
    package = HERE.parents[1] / "bootstrap"
    events = (package / "report" / "event_log_windows.py").read_text()
    source = re.search(r'SOURCE = "(.*)"', events)[1]
    assert rf"EventLog\Application\{source}'" in told
    marker = (package / "report" / "boot_marker_windows.py").read_text()
    key = re.search(r'KEY = r"(.*)\\\w+"', marker)[1]
    assert f"'HKLM:\\{key}'" in told
    folders = (package / "layout.py").read_text()
    for name, attribute in (("state", "LIBRARY"), ("status", "RUNTIME")):
        assert f'{attribute} = f"{{CONFIGURATION}}/{name}"' in folders
        assert f"'{name}'" in told
    assert TASK.name in told


def test_the_example_is_a_document():
    """The example is accepted as an image's document."""
    told = (WINDOWS / "10-shop.yaml").read_text()
    rules = yaml.safe_load(read("schema/document.schema.json"))
    assert validate(told, "10-shop.yaml", document_schema=rules) == ()
