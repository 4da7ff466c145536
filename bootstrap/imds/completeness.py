"""What an answer of IMDS leaves out, in words for people."""

from __future__ import annotations

from bootstrap.errors import Public
from bootstrap.imds.instance import missing_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.imds.instance import Instance


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
