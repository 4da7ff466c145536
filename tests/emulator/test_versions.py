"""Fields appear in the api-version that introduced them, and not before."""

from __future__ import annotations

import json

import pytest

from bootstrap.emulator.versions import FIELD_SINCE, at_version
from bootstrap.imds.versions import KNOWN_VERSIONS

RICH = {
    "tags": {"a": "b"},
    "compute": {
        "hostGroup": {"id": "g"},
        "storageProfile": {
            "dataDisks": [
                {
                    "bytesPerSecondThrottle": "1",
                    "diskCapacityBytes": "1",
                    "isSharedDisk": "false",
                    "isUltraDisk": "true",
                    "lun": "0",
                    "opsPerSecondThrottle": "1",
                }
            ],
            "osDisk": {
                "encryptionSettings": {
                    "diskEncryptionKey": {"secretUrl": ""},
                    "keyEncryptionKey": {"keyUrl": ""},
                }
            },
        },
    },
}


def paths_of(value, path=()):
    """Every key in a document, with the keys above it; positions in lists are left out."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key)
            yield from paths_of(child, (*path, key))
    elif isinstance(value, list):
        for child in value:
            yield from paths_of(child, path)


@pytest.mark.parametrize("field", sorted(FIELD_SINCE), ids=".".join)
def test_a_field_appears_with_its_version(serve, ask, field):
    """The api-version in the table shows the field, the one before does not."""
    emulator = serve(RICH if "host" not in field else None)
    since = FIELD_SINCE[field]
    before = KNOWN_VERSIONS[KNOWN_VERSIONS.index(since) - 1]
    for version, expected in ((before, False), (since, True)):
        document = ask(emulator, f"/metadata/instance?api-version={version}").json()
        assert (field in set(paths_of(document))) is expected, version


def test_custom_data_is_gone_again(serve, instance):
    """CustomData came, was deprecated, and is no longer part of newer answers."""
    emulator = serve()
    shown = [v for v in KNOWN_VERSIONS if "customData" in instance(emulator, v)["compute"]]
    assert (shown[0], shown[-1]) == ("2019-02-01", "2020-07-15")


def test_newer_versions_only_add(serve, instance):
    """Apart from customData, no field is lost from one version to the next."""
    emulator, seen = serve(RICH), set()
    for version in KNOWN_VERSIONS:
        now = set(paths_of(instance(emulator, version))) - {("compute", "customData")}
        assert seen <= now
        seen = now


def test_what_the_table_does_not_name_is_kept():
    """Fields of a machine's own are shown in every version."""
    document = {"compute": {"ownField": [{"x": "1"}]}}
    assert at_version(document, KNOWN_VERSIONS[0]) == document


@pytest.mark.parametrize("version", ["2021-01-01", "2023-07-01"])
def test_microsoft_s_example_passes_unchanged(serve, instance, shared, version):
    """The example of an api-version holds nothing that the table would hide in it."""
    name = f"imds-openapi/{version}/examples/GetInstanceMetadata.json"
    compute = shared(name)["responses"]["200"]["body"]["compute"]
    assert instance(serve({"compute": compute}), version)["compute"].items() >= compute.items()


@pytest.mark.parametrize("field", ["extendedLocation", "hostGroup", "virtualMachineScaleSet"])
def test_microsoft_s_newer_example_is_cut_to_the_older_shape(serve, instance, shared, field):
    """What only the 2023-07-01 example has is hidden from a client of 2021-01-01."""
    names = [
        f"imds-openapi/{version}/examples/GetInstanceMetadata.json"
        for version in ("2021-01-01", "2023-07-01")
    ]
    older, newer = (shared(name)["responses"]["200"]["body"]["compute"] for name in names)
    shown = instance(serve({"compute": newer}), "2021-01-01")["compute"]
    assert field in newer
    assert field not in shown
    assert shown.keys() == older.keys()


@pytest.mark.parametrize("version", ["2021-01-01", "2023-07-01"])
def test_the_document_fits_microsoft_s_definition(serve, instance, shared, version):
    """Every property is known to the OpenAPI definition and of the type that it names."""
    definitions = shared(f"imds-openapi/{version}/imds.json")["definitions"]
    check(instance(serve({"tags": {"a": "b"}}), version), definitions["Instance"], definitions)


def check(value, schema, definitions):
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if schema.get("type") == "array":
        for child in value:
            check(child, schema["items"], definitions)
    elif "properties" in schema:
        assert value.keys() <= schema["properties"].keys()
        for key, child in value.items():
            check(child, schema["properties"][key], definitions)
    else:
        assert schema.get("type") != "string" or isinstance(value, str), json.dumps(value)


def test_the_versions_are_those_that_microsoft_lists(serve, ask, shared):
    """Every api-version of the definition's own list is known, in its order."""
    body = shared("imds-openapi/2023-07-01/examples/GetVersions.json")["responses"]["200"]["body"]
    known = ask(serve(), "/metadata/versions").json()["apiVersions"]
    assert [version for version in known if version in body["apiVersions"]] == body["apiVersions"]
