"""Lists in pages, as Key Vault returns them: at most 25 entries, and a link to the next page."""

from __future__ import annotations

from urllib.parse import quote

from bootstrap.emulator.messages import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets
_MAX_PAGE_SIZE = 25


def page(items: Sequence[Any], url: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the page that the parameters request.

    Raises BadRequest for a size or a skip token that is not valid.
    """
    size = parameters.get("maxresults", str(_MAX_PAGE_SIZE))
    if not size.isdecimal() or not 1 <= int(size) <= _MAX_PAGE_SIZE:
        raise BadRequest(f"maxresults is not between 1 and {_MAX_PAGE_SIZE}")
    begin = _position(parameters.get("$skiptoken", ""))
    end = begin + int(size)
    following = None
    if end < len(items):
        version = quote(parameters["api-version"])
        following = f"{url}?api-version={version}&$skiptoken=at-{end}&maxresults={size}"
    return {"value": list(items[begin:end]), "nextLink": following}


def _position(token: str) -> int:
    """Return the index at which a page begins; the token is opaque to clients."""
    position = token.removeprefix("at-") or "0"
    if not position.isdecimal():
        raise BadRequest("The skip token is not valid")
    return int(position)
