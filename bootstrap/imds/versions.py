"""The api-versions of IMDS, and what an older one lacks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# Oldest first. Those up to 2023-07-01 are from the example of `Versions` in
# Azure/azure-rest-api-specs, specification/imds/data-plane. The later ones are from the service's
# page, read in 2025:
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#supported-api-versions
KNOWN_VERSIONS = (
    "2017-03-01",
    "2017-04-02",
    "2017-08-01",
    "2017-10-01",
    "2017-12-01",
    "2018-02-01",
    "2018-04-02",
    "2018-10-01",
    "2019-02-01",
    "2019-03-11",
    "2019-04-30",
    "2019-06-01",
    "2019-06-04",
    "2019-08-01",
    "2019-08-15",
    "2019-11-01",
    "2020-06-01",
    "2020-07-15",
    "2020-09-01",
    "2020-10-01",
    "2020-12-01",
    "2021-01-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2021-11-01",
    "2021-11-15",
    "2021-12-13",
    "2023-07-01",
    "2023-11-15",
    "2024-03-15",
    "2024-07-17",
    "2025-04-07",
)

DEFAULT_VERSION = "2023-07-01"  # offered in every cloud
MINIMUM_TAGS_LIST = "2019-06-04"  # compute.tagsList appeared here (same page, "Compute")
MINIMUM_USER_DATA = "2021-01-01"  # compute.userData appeared here (same page, "Get user data")


def is_version(text: str) -> bool:
    """Return whether `text` has the form of an api-version, such as 2023-07-01, known or not."""
    fields = text.split("-")
    digits = "".join(fields)
    return [*map(len, fields)] == [4, 2, 2] and digits.isascii() and digits.isdecimal()


def newest_common(offered: Iterable[str], *, rejected: Collection[str] = ()) -> str | None:
    """Return the newest api-version that is offered, known and not rejected, or `None`."""
    common = set(offered).intersection(KNOWN_VERSIONS).difference(rejected)
    return max(common, default=None)
