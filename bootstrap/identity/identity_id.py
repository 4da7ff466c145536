"""The identifier of one of a machine's managed identities."""

from __future__ import annotations

from bootstrap.errors import SettingsError
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.settings import IdentitySettings

KINDS = ("client_id", "object_id", "msi_res_id")  # the names of the request's parameter


class Selector(Frozen, kw_only=False):
    """One of the names of a user-assigned identity; with an empty kind, the machine's own identity.

    `kind` is one of `KINDS`, or empty with an empty `value`. Anything else raises `SettingsError`.
    """

    kind: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        if (self.kind and self.kind not in KINDS) or bool(self.kind) != bool(self.value):
            raise SettingsError(
                f"no managed identity can be chosen by {str(self)!r}",
                hint=f"write {', '.join(f'{kind}=…' for kind in KINDS)}, or nothing",
            )

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Parse `client_id=…`, as in `vaults.identities`; an empty text is the machine's own.

        Raises `SettingsError` for anything else.
        """
        kind, _, value = text.partition("=")
        return cls(kind.strip(), value.strip())

    @classmethod
    def chosen(cls, settings: IdentitySettings) -> Selector:
        """Return the identity that the settings name, or the machine's own if they name none.

        Raises `SettingsError` if they name several, because the service accepts only one.
        """
        named = [(kind, value) for kind in KINDS if (value := getattr(settings, kind))]
        if len(named) > 1:
            raise SettingsError(
                f"the settings choose {len(named)} managed identities: "
                + " and ".join(f"identity.{kind}" for kind, _ in named),
                hint="keep one of them; another vault's identity belongs in vaults.identities",
            )
        return cls(*named[0]) if named else cls()

    def __str__(self) -> str:
        return f"{self.kind}={self.value}" if self.kind or self.value else ""


# The system-assigned identity; without one, the user-assigned identity if there is only one.
OWN = Selector()
