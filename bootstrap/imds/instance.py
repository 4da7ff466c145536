"""The machine as IMDS describes it, in the same form for every api-version."""

from __future__ import annotations

from bootstrap.errors import Public
from bootstrap.frozen import Frozen
from bootstrap.imds.versions import MINIMUM_TAGS_LIST, MINIMUM_USER_DATA
from bootstrap.platform.firmware import canonical_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# IMDS also writes the names in capitals (AZURECHINACLOUD). `Instance.cloud` has the Azure CLI's
# spelling.
_CLOUDS = {
    name.casefold(): name
    for name in (
        "AzurePublicCloud",
        "AzureUSGovernmentCloud",
        "AzureChinaCloud",
        "AzureGermanCloud",
        "AzureStack",
    )
}


class WrongShape(Exception):
    """The document is JSON but not an instance document; the text says where it differs."""


class Instance(Frozen):
    """One VM. A text that the platform does not give is empty.

    `vm_id` is a UUID in lower case. `cloud` is spelt as in `AzurePublicCloud`. `user_data` is
    base64, as received. `tags` are pairs of name and value, in the platform's order. Both are
    `None` if the response does not hold them because its api-version is too old; a VM without
    any has an empty text or tuple. `raw` is the whole document, for templates.
    """

    vm_id: str
    name: str
    location: str
    cloud: str
    os_type: str
    resource_group: str
    subscription_id: str
    vm_size: str
    zone: str
    scale_set: str
    user_data: str | None
    tags: tuple[tuple[str, str], ...] | None
    api_version: str
    raw: Mapping[str, Any]

    @classmethod
    def from_document(cls, raw: object, api_version: str) -> Instance:
        """Return the instance in the parsed response of `/metadata/instance`.

        `api_version` is the api-version of the request. Missing parts, empty texts and unknown
        keys are accepted. Raises `WrongShape` for a document that no api-version of IMDS returns.
        """
        if not isinstance(raw, dict):
            raise WrongShape("the document is not an object")
        compute = raw.get("compute")
        if not isinstance(compute, dict):
            raise WrongShape("compute is not an object")
        cloud = _text(compute, "azEnvironment")
        return cls(
            vm_id=_vm_id(compute),
            name=_text(compute, "name"),
            location=_text(compute, "location"),
            cloud=_CLOUDS.get(cloud.casefold(), cloud),
            os_type=_text(compute, "osType").capitalize(),
            resource_group=_text(compute, "resourceGroupName"),
            subscription_id=_text(compute, "subscriptionId"),
            vm_size=_text(compute, "vmSize"),
            zone=_text(compute, "zone"),
            scale_set=_text(compute, "vmScaleSetName"),
            user_data=_user_data(compute, api_version),
            tags=_tags(compute, api_version),
            api_version=api_version,
            raw=raw,
        )


def missing_keys(instance: Instance) -> tuple[str, ...]:
    """Return the keys that every response of the api-version should hold and this one lacks.

    "Missing or inapplicable values are always included but will be set to an empty string"
    (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#data-format). So a
    response without them is only a part of what the host knows.
    """
    compute = instance.raw["compute"]
    return tuple(
        f"compute.{key}"
        for key, since in (("userData", MINIMUM_USER_DATA), ("tagsList", MINIMUM_TAGS_LIST))
        if key not in compute and instance.api_version >= since
    )


def missing_parts(instance: Instance) -> list[str]:
    """Return a warning for each part that the answer does not hold.

    An old api-version has no userData or no list of tags, and a host may leave keys out.
    """
    warnings = []
    if instance.user_data is None:
        warnings.append(
            f"IMDS answered with api-version {instance.api_version}, which has no userData "
            "(it appeared in 2021-01-01): only image documents and tags are used"
        )
    if instance.tags is None:
        warnings.append(
            f"IMDS answered with api-version {instance.api_version}, which has no list of tags "
            "(it appeared in 2019-06-04): no tag is used"
        )
    if missing := missing_keys(instance):
        warnings.append(f"IMDS left {' and '.join(missing)} out of its answer: taken for empty")
    return [Public(text) for text in warnings]


def _text(part: Mapping[str, Any], key: str) -> str:
    value = part.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongShape(f"{key} is not a text")
    return value


def _vm_id(compute: Mapping[str, Any]) -> str:
    # It is the name of a directory of the state, so only a UUID is accepted.
    vm_id = canonical_uuid(_text(compute, "vmId"))
    if vm_id is None:
        raise WrongShape("compute.vmId is not a UUID")
    return vm_id


def _user_data(compute: Mapping[str, Any], api_version: str) -> str | None:
    if "userData" not in compute and api_version < MINIMUM_USER_DATA:
        return None
    return _text(compute, "userData")


def _tags(compute: Mapping[str, Any], api_version: str) -> tuple[tuple[str, str], ...] | None:
    entries = compute.get("tagsList")
    if entries is None:
        # The flat text is never parsed, because values may hold `;` and `:`. But if it is not
        # empty, there are tags that this response does not list.
        unlisted = api_version < MINIMUM_TAGS_LIST or _text(compute, "tags")
        return None if unlisted else ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise WrongShape("compute.tagsList is not a list of objects")
    return tuple((_text(entry, "name"), _text(entry, "value")) for entry in entries)
