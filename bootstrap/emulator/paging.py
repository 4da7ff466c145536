"""Lists a page at a time, as Key Vault gives them: 25 entries at most, and where the next are."""

from __future__ import annotations

from urllib.parse import quote

from bootstrap.emulator.messages import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets
_MOST = 25


def page(items: Sequence[Any], url: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The page that the parameters ask for; raises BadRequest for a size that is not allowed."""
    size = parameters.get("maxresults", str(_MOST))
    if not size.isdecimal() or not 1 <= int(size) <= _MOST:
        raise BadRequest(f"maxresults is not between 1 and {_MOST}")
    begin = _position(parameters.get("$skiptoken", ""))
    end = begin + int(size)
    following = None
    if end < len(items):
        version = quote(parameters["api-version"])
        following = f"{url}?api-version={version}&$skiptoken=at-{end}&maxresults={size}"
    return {"value": list(items[begin:end]), "nextLink": following}


def _position(token: str) -> int:
    """Where a page begins; the token is nothing that a client should look into."""
    position = token.removeprefix("at-") or "0"
    if not position.isdecimal():
        raise BadRequest("The skip token is not valid")
    return int(position)
