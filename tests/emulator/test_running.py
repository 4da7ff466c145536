"""A machine that changes while it is served, and the record of what was asked."""

from __future__ import annotations

import os
import threading

import pytest

from bootstrap.emulator import Emulator
from bootstrap.errors import InvalidDocument, MissingInput

INSTANCE = "/metadata/instance?api-version=2021-01-01"


def tags(instance, emulator):
    return {tag["name"]: tag["value"] for tag in instance(emulator)["compute"]["tagsList"]}


@pytest.fixture
def machine(tmp_path):
    """A machine file whose every rewrite is seen, however coarse the file system's clock."""

    class MachineFile:
        path = tmp_path / "machine.yaml"
        age = 0

        def write(self, text):
            self.path.write_text(text, encoding="utf-8")
            self.age += 1
            os.utime(self.path, ns=(self.age * 10**9, self.age * 10**9))

    return MachineFile()


def test_an_edited_file_is_served_at_once(serve, instance, machine):
    """Change a tag, ask again: the new tag is there."""
    machine.write("rate: 0\ntags: {Environment: test}\n")
    emulator = serve(machine.path)
    assert tags(instance, emulator) == {"Environment": "test"}
    machine.write("rate: 0\ntags: {Environment: prod}\n")
    assert tags(instance, emulator) == {"Environment": "prod"}


def test_a_replaced_file_is_served_at_once(serve, instance, machine, tmp_path):
    """An editor that writes beside and renames is an edit as well."""
    machine.write("tags: {a: '1'}\n")
    emulator = serve(machine.path)
    other = tmp_path / "other"
    other.write_text("tags: {a: '2'}\n", encoding="utf-8")
    other.replace(machine.path)
    assert tags(instance, emulator) == {"a": "2"}


def test_an_invalid_edit_is_told_and_changes_nothing(serve, instance, machine):
    """The last valid machine stays, the log says where the mistake is, and a cure is taken."""
    lines = []
    machine.write("rate: 0\ntags: {a: '1'}\n")
    emulator = serve(machine.path, log=lines.append)
    machine.write("rate: 0\ntags: {a: 1}\n")
    assert tags(instance, emulator) == {"a": "1"}
    assert any(f"{machine.path}:2:11 tags.a: 1 is not a string" in line for line in lines)
    machine.write("rate: 0\ntags: {a: '2'}\n")
    assert tags(instance, emulator) == {"a": "2"}


def test_a_file_that_is_being_written_is_not_read_yet(serve, instance, machine):
    """A file emptied or removed for a moment is no machine: the last one stays."""
    machine.write("rate: 0\ntags: {a: '1'}\n")
    emulator = serve(machine.path)
    machine.write("")
    assert tags(instance, emulator) == {"a": "1"}
    machine.path.unlink()
    assert tags(instance, emulator) == {"a": "1"}
    machine.write("rate: 0\ntags: {a: '2'}\n")
    assert tags(instance, emulator) == {"a": "2"}


def test_an_edited_user_data_file_is_served_at_once(serve, instance, machine, tmp_path):
    """The file that userDataFile names is watched like the machine file."""
    data = tmp_path / "data"
    data.write_bytes(b"a")
    machine.write("rate: 0\nuserDataFile: data\n")
    emulator = serve(machine.path)
    assert instance(emulator)["compute"]["userData"] == "YQ=="
    data.write_bytes(b"ab")
    assert instance(emulator)["compute"]["userData"] == "YWI="


def test_an_edit_elsewhere_lets_the_fault_script_go_on(serve, ask, machine):
    """The script's position is kept while its text is the same."""
    script = "faults: [{status: 503}, {status: 404}]\n"
    machine.write(f"rate: 0\n{script}")
    emulator = serve(machine.path)
    assert ask(emulator, INSTANCE).status == 503
    machine.write(f"rate: 0\ntags: {{a: '1'}}\n{script}")
    assert ask(emulator, INSTANCE).status == 404


def test_an_edit_of_the_faults_starts_the_script_over(serve, ask, machine):
    """New faults begin at their first entry."""
    machine.write("rate: 0\nfaults: [{status: 503}, {status: 404}]\n")
    emulator = serve(machine.path)
    assert ask(emulator, INSTANCE).status == 503
    machine.write("rate: 0\nfaults: [{status: 500}, {status: 404}]\n")
    assert [ask(emulator, INSTANCE).status for _ in range(3)] == [500, 404, 200]


def test_a_machine_in_memory_is_changed_by_its_keys(serve, instance):
    """`change` replaces the keys that it names and keeps the others."""
    emulator = serve({"name": "shop", "tags": {"a": "1"}})
    emulator.change(tags={"a": "2"})
    assert tags(instance, emulator) == {"a": "2"}
    assert instance(emulator)["compute"]["name"] == "shop"


def test_a_change_that_is_not_valid_changes_nothing(serve, instance):
    """The error names the key, and the machine is as it was."""
    emulator = serve({"tags": {"a": "1"}})
    with pytest.raises(InvalidDocument) as caught:
        emulator.change(tags={"a": 1})
    assert [problem.path for problem in caught.value.problems] == ["tags.a"]
    assert tags(instance, emulator) == {"a": "1"}


def test_a_file_is_not_changed_by_keys(serve, machine):
    """The file is the machine; a change that an edit would undo is refused."""
    machine.write("name: shop\n")
    with pytest.raises(ValueError, match="editing"):
        serve(machine.path).change(name="other")


def test_an_empty_file_is_a_plain_machine(serve, instance, machine):
    """Every key is optional."""
    machine.write("")
    assert instance(serve(machine.path))["compute"]["location"] == "westeurope"


def test_a_missing_file_is_an_error(tmp_path):
    """The first read must succeed; nothing is left listening."""
    with pytest.raises(MissingInput, match=r"nowhere\.yaml"):
        Emulator.serve(tmp_path / "nowhere.yaml")


def test_requests_are_remembered_as_they_came(serve, ask):
    """Path and query undecoded, headers by lower-case name, the status, the time."""
    emulator = serve({"faults": [{"status": 503}]}, clock=lambda: 42.0)
    target = "/metadata/instance/?api%2Dversion=2021-01-01"
    ask(emulator, target, headers={"METADATA": "true", "User-Agent": "probe/1"})
    ask(emulator, target, method="PUT")
    first, second = emulator.requests
    assert (first.method, first.status, first.at) == ("GET", 503, 42.0)
    assert f"{first.path}?{first.query}" == target
    assert first.headers.items() >= {"metadata": "true", "user-agent": "probe/1"}.items()
    assert (second.method, second.status) == ("PUT", 405)


def test_an_unanswered_request_is_remembered_without_status(serve, ask):
    """A reset has no status, and says so."""
    emulator = serve({"faults": ["reset"]})
    with pytest.raises(ConnectionResetError):
        ask(emulator, INSTANCE)
    assert [request.status for request in emulator.requests] == [None]


def test_each_request_is_one_line_of_the_log(serve, ask):
    """Method, target, status, and the fault if it was one: made for grep."""
    lines = []
    faults = [{"status": 503}, {"delay": 0.001, "truncate": 9999}, "reset"]
    emulator = serve({"faults": faults}, log=lines.append)
    for _ in range(2):
        ask(emulator, INSTANCE)
    with pytest.raises(ConnectionResetError):
        ask(emulator, INSTANCE)
    ask(emulator, INSTANCE)
    assert lines == [
        f"emulator.listening endpoint={emulator.endpoint}",
        f"GET {INSTANCE} 503 fault=status",
        f"GET {INSTANCE} 200 fault=delay+truncate",
        f"GET {INSTANCE} - fault=reset",
        f"GET {INSTANCE} 200",
    ]


def test_many_clients_at_once_use_up_a_script_exactly(serve, ask):
    """Each entry is used by one request, however many ask at the same time."""
    emulator = serve({"faults": [{"status": 503, "times": 10}]})
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.append(ask(emulator, INSTANCE).status))
        for _ in range(25)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [200] * 15 + [503] * 10
    assert len(emulator.requests) == 25


def test_it_listens_on_loopback_unless_told_otherwise(serve):
    """The endpoint is a URL without a slash at its end."""
    assert serve().endpoint.startswith("http://127.0.0.1:")


def test_ipv6_loopback_is_served_too(ask):
    """The endpoint has the address in brackets."""
    try:
        emulator = Emulator.serve(host="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    with emulator:
        assert emulator.endpoint.startswith("http://[::1]:")
        assert ask(emulator, "/metadata/versions").status == 200


def test_a_port_that_is_taken_is_an_error(serve):
    """Two emulators never share a port."""
    port = int(serve().endpoint.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Emulator.serve(port=port)
