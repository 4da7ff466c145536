"""A secret text that is masked wherever it is printed."""

from __future__ import annotations

MASK = "***"


class Secret:
    """A wrapper of a secret text; it prints, formats and logs as `***`, and pickles as the mask.

    Only `reveal` returns the text, so a search for `reveal` finds every place that uses it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself, for a request's header or for the content of a file."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # rarely needed, and its import takes 5 ms

        # A secret that was not valid text holds lone surrogates, which plain UTF-8 cannot encode.
        mine, others = (secret.reveal().encode(errors="surrogatepass") for secret in (self, other))
        return compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (MASK,)  # only the mask may leave this process
