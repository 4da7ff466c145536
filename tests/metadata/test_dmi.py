from __future__ import annotations

import pytest

from bootstrap.platform.firmware import AZURE_ASSET_TAG, canonical_uuid, read_firmware, swap_fields

PRINTED = "7C8D9E0F-5A6B-3849-8271-605F4E3D2C1B"


@pytest.fixture
def machine(tmp_path):
    """Builds the part of a root directory that the firmware fills."""

    def build(*, tag=AZURE_ASSET_TAG, uuid=PRINTED, efi=False):
        tables = tmp_path / "sys/class/dmi/id"
        tables.mkdir(parents=True)
        for name, text in (("chassis_asset_tag", tag), ("product_uuid", uuid)):
            if text is not None:
                (tables / name).write_text(f"{text}\n")
        if efi:
            (tmp_path / "sys/firmware/efi").mkdir(parents=True)
        return read_firmware(str(tmp_path))

    return build


def test_generation_1_swaps_the_first_three_fields(machine):
    """Without EFI the UUID's first three fields are byte-swapped, and it is lower-cased."""
    assert machine().vm_id == "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"


def test_generation_2_is_read_as_it_is(machine):
    """With EFI the UUID is the VM's id, in lower case."""
    assert machine(efi=True).vm_id == PRINTED.lower()


@pytest.mark.parametrize(
    ("tag", "azure"),
    [
        (AZURE_ASSET_TAG, True),
        (f"{AZURE_ASSET_TAG}0", False),
        (AZURE_ASSET_TAG[:-1], False),
        ("", False),
        (None, None),
    ],
)
def test_only_the_exact_tag_is_azure(machine, tag, azure):
    """Another tag is another platform; no tag is not known."""
    assert machine(tag=tag).is_azure is azure


@pytest.mark.parametrize(
    "uuid",
    [None, "", "Not Settable", "0" * 32, "0" * 8 + "-0000" * 3 + "-" + "0" * 12, PRINTED + "0"],
)
def test_an_id_that_is_none_is_not_given(machine, uuid):
    """What the firmware fills in for "no id", or an unreadable file, is no id."""
    assert machine(uuid=uuid).vm_id is None


def test_a_machine_without_tables_is_not_known(tmp_path):
    """A missing /sys says neither yes nor no."""
    firmware = read_firmware(str(tmp_path))
    assert (firmware.is_azure, firmware.vm_id) == (None, None)


def test_bytes_that_are_no_text_do_not_stop_a_boot(tmp_path):
    """Vendors write what they like into the tables."""
    tables = tmp_path / "sys/class/dmi/id"
    tables.mkdir(parents=True)
    (tables / "chassis_asset_tag").write_bytes(b"\xff\xfe\n")
    assert read_firmware(str(tmp_path)).is_azure is False


def test_swapping_twice_changes_nothing():
    """The byte order of a UUID is a matter of one swap."""
    uuid = canonical_uuid(PRINTED)
    assert swap_fields(swap_fields(uuid)) == uuid != swap_fields(uuid)
