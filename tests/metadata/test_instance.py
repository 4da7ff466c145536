from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap.imds.instance import Instance, WrongShape

CASES = Path(__file__).parent / "cases"
VM_ID = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"


def instance(api_version="2023-07-01", **compute):
    return Instance.from_document({"compute": {"vmId": VM_ID, **compute}}, api_version)


@pytest.mark.parametrize("case", sorted(CASES.glob("instance/*.json")), ids=lambda case: case.stem)
def test_every_shape_that_imds_answers_is_taken(case):
    """Missing parts, empty texts, null, host or hostGroup, unknown keys: all are an instance."""
    raw = json.loads(case.read_text())
    taken = Instance.from_document(raw, "2023-07-01")
    assert taken.vm_id == VM_ID
    assert taken.raw is raw


@pytest.mark.parametrize(
    "case", sorted(CASES.glob("wrong_shape/*.json")), ids=lambda case: case.stem
)
def test_a_document_that_is_no_instance_is_refused(case):
    """A foreign or partial document is noticed, also one whose id would be a path."""
    with pytest.raises(WrongShape):
        Instance.from_document(json.loads(case.read_text()), "2023-07-01")


@pytest.mark.parametrize(
    ("given", "cloud"),
    [
        ("AZURECHINACLOUD", "AzureChinaCloud"),
        ("AzurePublicCloud", "AzurePublicCloud"),
        ("azureusgovernmentcloud", "AzureUSGovernmentCloud"),
        ("AzureBleuCloud", "AzureBleuCloud"),
        ("", ""),
    ],
)
def test_a_cloud_has_one_spelling(given, cloud):
    """IMDS writes the name in any case; an unknown cloud keeps its own."""
    assert instance(azEnvironment=given).cloud == cloud


def test_tags_come_from_the_list_alone():
    """The flat text, in which `;` and `:` are ambiguous, is never taken apart."""
    listed = [{"name": "a", "value": "x;b:y"}]
    assert instance(tags="a:x;b:y", tagsList=listed).tags == (("a", "x;b:y"),)


@pytest.mark.parametrize(
    ("api_version", "compute", "user_data", "tags"),
    [
        ("2023-07-01", {}, "", ()),
        ("2021-01-01", {}, "", ()),
        ("2020-12-01", {}, None, ()),
        ("2019-06-04", {}, None, ()),
        ("2019-06-01", {}, None, None),
        ("2023-07-01", {"tags": "a:b"}, "", None),
        ("2019-06-01", {"tagsList": [], "userData": "eA=="}, "eA==", ()),
    ],
)
def test_not_told_is_not_the_same_as_none(api_version, compute, user_data, tags):
    """An api-version that has no userData or tagsList gives None, never an empty one."""
    told = instance(api_version, **compute)
    assert (told.user_data, told.tags) == (user_data, tags)


@pytest.mark.parametrize(
    ("name", "api_version", "cloud", "told"),
    [
        ("instance-windows-china.json", "2021-12-13", "AzureChinaCloud", True),
        ("instance-linux-public-2020-09-01.json", "2020-09-01", "AzurePublicCloud", False),
    ],
)
def test_the_documented_instances_load(shared_data, name, api_version, cloud, told):
    """Microsoft's own examples are instances, each with what its api-version has."""
    raw = json.loads((shared_data / "imds" / name).read_text(encoding="utf-8"))
    taken = Instance.from_document(raw, api_version)
    assert (taken.cloud, taken.name) == (cloud, "examplevmname")
    assert (taken.user_data is not None) == told
    assert taken.os_type in ("Linux", "Windows")


def test_the_examples_of_the_openapi_definition_load(shared_data):
    """The documents of the published definition are instances with tags and userData."""
    for example in shared_data.glob("imds-openapi/*/examples/GetInstanceMetadata.json"):
        told = json.loads(example.read_text())
        taken = Instance.from_document(
            told["responses"]["200"]["body"], told["parameters"]["api-version"]
        )
        assert taken.tags == (("baz", "bash"), ("foo", "bar"))
        assert taken.user_data == "Zm9vYmFy"
