"""The instance document of an emulated VM, in the newest shape and with every field filled in.

In IMDS every primitive is text, and a value that does not apply is there and empty.
"""

from __future__ import annotations

from bootstrap.emulator.ids import stable_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bootstrap.emulator.machine import Machine

_RESOURCE_GROUP = "emulated"
_IMAGE = {
    "offer": "0001-com-ubuntu-server-jammy",
    "publisher": "Canonical",
    "sku": "22_04-lts-gen2",
}


def instance_document(machine: Machine) -> dict[str, Any]:
    """Everything that this VM's IMDS knows, before an api-version hides what it does not know."""
    document: dict[str, Any] = {"compute": _compute(machine)}
    if machine.network is not None:
        document["network"] = dict(machine.network) or _network()
    return document


def extended_part(machine: Machine) -> dict[str, Any]:
    """What `extended=true` adds for provisioning agents, in real booleans.

    Undocumented; the shape is what cloud-init reads (`extended.compute.ppsType`,
    `hasCustomData`).
    """
    has_custom_data = bool(machine.compute.get("customData"))
    return {"compute": {"hasCustomData": has_custom_data, "ppsType": "None"}}


def without_failed_provider(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is left when the providers of the tags, the userData and the network did not answer."""
    lost = {"tags", "tagsList", "userData"}
    compute = {key: value for key, value in document["compute"].items() if key not in lost}
    return {"compute": compute}


def _compute(machine: Machine) -> dict[str, Any]:
    compute = _default_compute(machine)
    if "hostGroup" in machine.compute:
        del compute["host"]  # a VM has a host or a hostGroup, not both
    return _merged(compute, machine.compute)


def _default_compute(machine: Machine) -> dict[str, Any]:
    subscription = stable_id("subscription")
    provider = "Microsoft.HybridCompute" if machine.arc else "Microsoft.Compute"
    kind = "machines" if machine.arc else "virtualMachines"
    group = f"/subscriptions/{subscription}/resourceGroups/{_RESOURCE_GROUP}"
    return {
        "additionalCapabilities": {"hibernationEnabled": "false"},
        "azEnvironment": machine.environment,
        "customData": "",
        "evictionPolicy": "",
        "extendedLocation": {"name": "", "type": ""},
        "host": {"id": ""},
        "isHostCompatibilityLayerVm": "false",
        "licenseType": "",
        "location": machine.location,
        "name": machine.name,
        "offer": _IMAGE["offer"],
        "osProfile": {
            "adminUsername": "azureuser",
            "computerName": machine.name,
            "disablePasswordAuthentication": "true",
        },
        "osType": "Linux",
        "physicalZone": "",
        "placementGroupId": "",
        "plan": {"name": "", "product": "", "publisher": ""},
        "platformFaultDomain": "0",
        "platformSubFaultDomain": "",
        "platformUpdateDomain": "0",
        "priority": "",
        "provider": provider,
        "publicKeys": [],
        "publisher": _IMAGE["publisher"],
        "resourceGroupName": _RESOURCE_GROUP,
        "resourceId": f"{group}/providers/{provider}/{kind}/{machine.name}",
        "securityProfile": {
            "encryptionAtHost": "false",
            "secureBootEnabled": "true",
            "securityType": "TrustedLaunch",
            "virtualTpmEnabled": "true",
        },
        "sku": _IMAGE["sku"],
        "storageProfile": _storage(f"{group}/providers/Microsoft.Compute/disks/{machine.name}-os"),
        "subscriptionId": subscription,
        "tags": ";".join(f"{name}:{value}" for name, value in machine.tags.items()),
        "tagsList": [{"name": name, "value": value} for name, value in machine.tags.items()],
        "userData": machine.user_data,
        "version": "22.04.202510010",
        "virtualMachineScaleSet": {"id": ""},
        "vmId": machine.vm_id,
        "vmScaleSetName": "",
        "vmSize": "Standard_D2s_v5",
        "zone": "",
    }


def _storage(os_disk_id: str) -> dict[str, Any]:
    return {
        "dataDisks": [],
        "imageReference": {
            "communityGalleryImageId": "",
            "exactVersion": "22.04.202510010",
            "id": "",
            "sharedGalleryImageId": "",
            "version": "latest",
            **_IMAGE,
        },
        "osDisk": {
            "caching": "ReadWrite",
            "createOption": "FromImage",
            "diffDiskSettings": {"option": ""},
            "diskSizeGB": "30",
            "encryptionSettings": {"enabled": "false"},
            "image": {"uri": ""},
            "managedDisk": {"id": os_disk_id, "storageAccountType": "Premium_LRS"},
            "name": os_disk_id.rpartition("/")[2],
            "osType": "Linux",
            "vhd": {"uri": ""},
            "writeAcceleratorEnabled": "false",
        },
        "resourceDisk": {"size": "0"},
    }


def _network() -> dict[str, Any]:
    addresses = [{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}]
    subnets = [{"address": "10.0.0.0", "prefix": "24"}]
    return {
        "interface": [
            {
                "ipv4": {"ipAddress": addresses, "subnet": subnets},
                "ipv6": {"ipAddress": []},
                "macAddress": "000D3A000001",
            }
        ]
    }


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """`upper` over `lower`: mappings merge, everything else replaces."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged
