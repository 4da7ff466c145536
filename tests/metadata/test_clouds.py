from __future__ import annotations

import pytest

from bootstrap.errors import MetadataRefused
from bootstrap.imds.clouds import CLOUDS, cloud_of


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("AzurePublicCloud", "vault.azure.net"),
        ("AzureUSGovernmentCloud", "vault.usgovcloudapi.net"),
        ("AzureChinaCloud", "vault.azure.cn"),
        ("AzureGermanCloud", "vault.microsoftazure.de"),
    ],
)
@pytest.mark.parametrize("spelling", [str, str.upper, str.lower])
def test_every_cloud_has_its_suffix_and_audience(name, suffix, spelling):
    """The suffix follows azEnvironment in any case; the audience has no slash at its end."""
    cloud = cloud_of(spelling(name))
    assert (cloud.name, cloud.vault_suffix) == (name, suffix)
    assert cloud.vault_audience == f"https://{suffix}"


@pytest.mark.parametrize("name", ["AzureStack", "AzureBleuCloud", "", "vault.azure.net"])
def test_an_unknown_cloud_is_said_to_be_unknown(name):
    """No vault is guessed for a cloud with names of its own; the error lists the known ones."""
    with pytest.raises(MetadataRefused) as caught:
        cloud_of(name)
    assert repr(name) in caught.value.message
    assert all(cloud.name in caught.value.hint for cloud in CLOUDS)


def test_a_slip_of_the_pen_is_recognised():
    """The nearest cloud is named."""
    with pytest.raises(MetadataRefused, match="did it mean AzureChinaCloud"):
        cloud_of("AzureChina")
