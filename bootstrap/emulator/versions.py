"""The api-version of IMDS in which each field of the instance document appeared.

Every date is from the tables "Version introduced" of
https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service, read in 2025.
The two oldest api-versions spelt the network differently (`ipaddress`, `mac`); the emulator gives
them today's spelling.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The Arc agent's api-versions of the instance; its token endpoint has versions of its own:
# https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
ARC_VERSIONS: tuple[str, ...] = ("2019-08-15", "2019-11-01")

# Keys are paths in the document, without positions in lists. A field that is not named here is in
# every api-version.
FIELD_SINCE: dict[tuple[str, ...], str] = {
    ("compute", *path.split(".")): version
    for version, paths in {
        "2017-08-01": ("placementGroupId", "resourceGroupName", "subscriptionId", "tags"),
        "2017-12-01": ("vmScaleSetName", "zone"),
        "2018-04-02": ("plan", "publicKeys"),
        "2018-10-01": ("azEnvironment", "provider"),
        "2019-02-01": ("customData",),
        "2019-03-11": ("resourceId",),
        "2019-06-01": ("storageProfile",),
        "2019-06-04": ("tagsList",),
        "2020-06-01": ("isHostCompatibilityLayerVm", "securityProfile"),
        "2020-07-15": ("osProfile",),
        "2020-09-01": ("licenseType",),
        "2020-10-01": ("osProfile.disablePasswordAuthentication",),
        "2020-12-01": ("evictionPolicy", "priority"),
        "2021-01-01": ("userData",),
        "2021-02-01": ("storageProfile.resourceDisk",),
        "2021-03-01": ("extendedLocation", "virtualMachineScaleSet"),
        "2021-05-01": (
            "storageProfile.dataDisks.bytesPerSecondThrottle",
            "storageProfile.dataDisks.diskCapacityBytes",
            "storageProfile.dataDisks.isSharedDisk",
            "storageProfile.dataDisks.isUltraDisk",
            "storageProfile.dataDisks.opsPerSecondThrottle",
        ),
        "2021-10-01": ("platformSubFaultDomain",),
        "2021-11-01": (
            "additionalCapabilities",
            "securityProfile.encryptionAtHost",
            "storageProfile.osDisk.encryptionSettings.diskEncryptionKey",
            "storageProfile.osDisk.encryptionSettings.keyEncryptionKey",
        ),
        "2021-11-15": ("host", "hostGroup"),
        "2021-12-13": ("securityProfile.securityType",),
        "2023-07-01": (
            "storageProfile.imageReference.communityGalleryImageId",
            "storageProfile.imageReference.exactVersion",
            "storageProfile.imageReference.sharedGalleryImageId",
        ),
        "2023-11-15": ("physicalZone",),
    }.items()
    for path in paths
}

# The first documented answer without the field: customData is "deprecated and disabled in IMDS".
FIELD_UNTIL: dict[tuple[str, ...], str] = {("compute", "customData"): "2020-09-01"}


def at_version(value: Any, api_version: str, path: tuple[str, ...] = ()) -> Any:
    """Return the part of a document that an api-version has; `path` is the path of `value` in it.

    api-versions are dates in ISO form, so they compare as text.
    """
    if isinstance(value, dict):
        return {
            key: at_version(child, api_version, (*path, key))
            for key, child in value.items()
            if _has_field((*path, key), api_version)
        }
    if isinstance(value, list):
        return [at_version(child, api_version, path) for child in value]
    return value


def _has_field(path: tuple[str, ...], api_version: str) -> bool:
    if api_version < FIELD_SINCE.get(path, ""):
        return False
    return path not in FIELD_UNTIL or api_version < FIELD_UNTIL[path]
