"""The settings of the agent, which the builder of the image decides.

Each setting can be given in three ways, and the later wins: `imds: {endpoint: …}` in agent.yaml
(then agent.d/*.yaml, also .yml and .json, in name order), `IMDS_BOOTSTRAP_IMDS_ENDPOINT` in the
environment, `--set imds.endpoint=…` on the command line.
"""

from bootstrap.settings.table import (
    CommandSettings,
    IdentitySettings,
    ImdsSettings,
    RenderSettings,
    Settings,
    TagSettings,
    UserDataSettings,
    VaultSettings,
)

__all__ = [
    "CommandSettings",
    "IdentitySettings",
    "ImdsSettings",
    "RenderSettings",
    "Settings",
    "TagSettings",
    "UserDataSettings",
    "VaultSettings",
]
