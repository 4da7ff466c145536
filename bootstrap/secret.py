"""A value that does not show itself."""

from __future__ import annotations

MASK = "***"


class Secret:
    """Holds a secret text; prints, formats and logs as `***`; a pickle holds only the mask.

    `reveal` is the one way to the text, so that a search for it finds every place where a secret
    leaves its wrapper.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself: for a request's header, or for the content of a file."""
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
        from hmac import compare_digest  # rarely needed, and 5 ms

        # Bytes that are no text stand in it as lone surrogates, which UTF-8 has no word for.
        mine, others = (one.reveal().encode(errors="surrogatepass") for one in (self, other))
        return compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (MASK,)  # what is written out of this process is the mask
