"""What IMDS answers, asked over a real socket by http.client."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

import pytest
import yaml


def address_of(emulator):
    host, _, port = emulator.endpoint.removeprefix("http://").rpartition(":")
    return host, int(port)


CASES = yaml.safe_load(
    Path(__file__).with_name("cases").joinpath("answers.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[case["promise"] for case in CASES])
def test_answer(serve, ask, case):
    """Every request in cases/answers.yaml gets the answer written beside it."""
    answer = ask(
        serve(case.get("machine")),
        case["target"],
        method=case.get("method", "GET"),
        headers=case.get("headers"),
    )
    assert answer.status == case["status"], answer.body
    assert answer.headers["content-type"].startswith(case.get("type", ""))
    if "json" in case:
        assert answer.json() == case["json"]
    if "text" in case:
        assert answer.body.decode() == case["text"]
    if "has" in case:
        assert case["has"] in answer.json()["error"]


def test_every_answer_carries_the_service_s_headers(serve, ask):
    """An answer names the service, its own length, a request id and the time."""
    answer = ask(serve(), "/metadata/versions")
    assert answer.headers["server"].startswith("IMDS/")
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-ms-request-id"]
    assert answer.headers["date"].endswith("GMT")


def test_all_primitives_are_text(serve, instance):
    """In the document every leaf is text; what does not apply is there, and empty."""

    def leaves(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [leaf for child in value for leaf in leaves(child)]
        return [value]

    found = leaves(instance(serve({"tags": {"a": "b"}})))
    assert found
    assert all(isinstance(leaf, str) for leaf in found)


def test_the_same_name_is_the_same_machine(serve, instance):
    """A machine without a vmId gets one from its name, so that state is found again."""
    first, again, other = (
        instance(serve({"name": name}))["compute"]["vmId"] for name in ("a", "a", "b")
    )
    assert first == again != other


def test_a_given_vm_id_is_served_as_it_is(serve, instance):
    """A vmId in the machine file wins over the one from the name."""
    vm_id = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
    assert instance(serve({"vmId": vm_id}))["compute"]["vmId"] == vm_id


def test_a_vm_has_a_host_or_a_host_group(serve, instance):
    """Naming a hostGroup takes the host away: no real VM has both."""
    assert "host" in instance(serve())["compute"]
    compute = instance(serve({"compute": {"hostGroup": {"id": "g"}}}))["compute"]
    assert compute["hostGroup"] == {"id": "g"}
    assert "host" not in compute


def test_a_given_network_replaces_the_default_one(serve, instance):
    """The network is the machine's own, whole."""
    network = {"interface": [{"macAddress": "000D3AF806EC"}]}
    assert instance(serve({"network": network}))["network"] == network


def test_a_machine_without_network_has_no_such_part(serve, instance):
    """`network: null` gives the answer that some VMs really get: compute alone."""
    assert instance(serve({"network": None})).keys() == {"compute"}


def test_a_user_data_file_is_read_beside_the_machine_file(serve, ask, tmp_path):
    """`userDataFile` is relative to the machine file, and may hold bytes that are no text."""
    (tmp_path / "data.gz").write_bytes(b"\x1f\x8b\x00\xff")
    machine = tmp_path / "machine.yaml"
    machine.write_text("userDataFile: data.gz\n")
    answer = ask(
        serve(machine), "/metadata/instance/compute/userData?api-version=2021-01-01&format=text"
    )
    assert answer.body == b"H4sA/w=="


@pytest.fixture
def keep(serve):
    """A connection that is kept, as http.client does it."""
    host, port = address_of(serve())
    connection = http.client.HTTPConnection(host, port, timeout=5)
    yield connection
    connection.close()


def test_one_connection_serves_many_requests(keep):
    """The service keeps connections, also after an error."""
    for target, status in (("/nowhere", 404), ("/metadata/versions", 200)):
        keep.request("GET", target, headers={"Metadata": "true"})
        response = keep.getresponse()
        response.read()
        assert response.status == status


def test_the_body_of_a_post_is_not_taken_for_a_request(keep):
    """A POST with a body gets its 405, and the connection is good for the next request."""
    keep.request("POST", "/metadata/versions", body=b"x" * 10_000)
    response = keep.getresponse()
    response.read()
    assert response.status == 405
    keep.request("GET", "/metadata/versions", headers={"Metadata": "true"})
    assert keep.getresponse().status == 200


@pytest.fixture
def raw(serve):
    """Send bytes as they are and take everything that comes back."""

    def exchange(request):
        with socket.create_connection(address_of(serve()), timeout=5) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as stream:
                return stream.read()

    return exchange


def test_a_request_that_is_no_http_is_answered_in_the_service_s_shape(raw):
    """What the parser refuses is a 400 with an error in JSON, and the connection ends."""
    answer = raw(b"GET\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"].startswith("Bad request")


def test_the_answer_to_head_has_no_body(raw):
    """A HEAD is refused with the headers that its body would have had."""
    answer = raw(b"HEAD /metadata/versions HTTP/1.1\r\nHost: i\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"Content-Length: 30" in answer
    assert answer.endswith(b"\r\n\r\n")
