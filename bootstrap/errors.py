"""The errors that this program foresees, on one page.

    BootstrapError
    ├── UsageError            IB001   2   the command line asks for something that does not exist
    ├── SettingsError         IB002  78   agent.yaml, the environment or --set is wrong
    ├── NotPermitted          IB003  77   the machine does not let this process do it
    ├── LockHeld              IB004  75   another run is at work, and did not finish in time
    ├── DeadlinePassed        IB005  75   the whole run took longer than its deadline
    ├── NoSuchValue           IB006   1   a question about this machine has no answer
    ├── InternalError         IB009   1   a fault of this program
    ├── InvalidDocument       IB105  65   userData, tags or an image document cannot be used
    ├── MissingInput          IB104  66   something that the settings require is not there
    ├── ImageError            IB110  78   what the image carries (schema, templates) is unusable
    ├── MetadataUnavailable   IB201  75   IMDS gave no usable answer before the deadline
    ├── MetadataRefused       IB202  69   IMDS answered, and the answer is final
    ├── IdentityUnavailable   IB301  75   no token before the deadline
    ├── IdentityRefused       IB302  69   this machine has no such identity, or its answer is wrong
    ├── SecretsUnavailable    IB303  75   Key Vault gave no usable answer before the deadline
    ├── SecretsRefused        IB304  69   Key Vault's answer is final: not there, forbidden, expired
    ├── RenderError           IB401  65   templates do not fit the values
    ├── WriteError            IB501  73   a file could not be written
    ├── UnsafeDestination     IB502  73   a destination that this agent will not write through
    └── CommandFailed         IB503   1   a check or a handler failed

The second column is the stable code, the third the exit code of the process (from sysexits.h if it
has a name for the case). An error has a message (what was being done, and why it failed), problems
(one per place) and a hint (what to do about it). It never holds a secret.

An error has two audiences. The output of the program and the journal show all of it. Every user of
the machine can read status.json, so that holds only the result of `as_public`: the code, the
places, and the texts that are marked as `Public`. A message without that mark is replaced by the
sentence of its class, `about`.
"""

from __future__ import annotations

from bootstrap.problem import Problem, Public

__all__ = ["Problem", "Public"]  # re-exported; names defined here need no entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar


class BootstrapError(Exception):
    """Any failure that this program foresees.

    `message` says what was being done and why it failed. `hint` says what to do about it.
    `problems` are the single findings, in the order of their places in the sources. `public` is
    the message that every user may read: by default, `message` if it is `Public`, else `about`.
    """

    code: ClassVar[str] = "IB009"
    exit_code: ClassVar[int] = 1
    about: ClassVar[str] = "a fault in imds-bootstrap"  # what every user may read

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        problems: Iterable[Problem] = (),
        public: Public | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        marked = message if isinstance(message, Public) else Public(self.about)
        self.public = marked if public is None else public

    def as_dict(self) -> dict[str, object]:
        """Return the whole error as JSON values, as in the output of `--format json`."""
        record: dict[str, object] = {"code": self.code, "message": self.message}
        if self.hint:
            record["hint"] = self.hint
        if self.problems:
            record["problems"] = [problem.as_dict() for problem in self.problems]
        return record

    def as_public(self) -> dict[str, object]:
        """Return the part of the error that every user may read, as in status.json."""
        hint = {"hint": self.hint} if isinstance(self.hint, Public) and self.hint else {}
        places = [problem.as_public() for problem in self.problems]
        return {"code": self.code, "message": self.public, **hint, "places": places}


class UsageError(BootstrapError):
    """The command line asks for something that does not exist."""

    code = "IB001"
    exit_code = 2
    about = "the command line asks for something that does not exist"


class SettingsError(BootstrapError):
    """A setting is unknown, or its value is not allowed."""

    code = "IB002"
    exit_code = 78
    about = "a setting cannot be used"


class NotPermitted(BootstrapError):
    """The machine does not let this process do it; usually it is not root."""

    code = "IB003"
    exit_code = 77
    about = "the machine does not let this process do it"


class LockHeld(BootstrapError):
    """Another run is at work on this machine and did not finish in time."""

    code = "IB004"
    exit_code = 75
    about = "another run is at work, and did not finish in time"


class DeadlinePassed(BootstrapError):
    """The run as a whole took longer than its deadline."""

    code = "IB005"
    exit_code = 75
    about = "the whole run took longer than its deadline"


class NoSuchValue(BootstrapError):
    """A question about this machine has no answer."""

    code = "IB006"
    exit_code = 1
    about = "a question about this machine has no answer"


class InternalError(BootstrapError):
    """A fault of this program, not of its input."""

    code = "IB009"
    exit_code = 1
    about = "a fault in imds-bootstrap"


class MissingInput(BootstrapError):
    """Something that the settings require is not there."""

    code = "IB104"
    exit_code = 66
    about = "something that the settings require is not there"


class InvalidDocument(BootstrapError):
    """userData, a tag or an image document cannot be used; every finding is a problem."""

    code = "IB105"
    exit_code = 65
    about = "a document or a tag cannot be used"


class ImageError(BootstrapError):
    """What the image carries, its schema or its templates, cannot be used."""

    code = "IB110"
    exit_code = 78
    about = "what the image carries cannot be used"


class MetadataUnavailable(BootstrapError):
    """IMDS gave no usable answer before the deadline; a later run may succeed."""

    code = "IB201"
    exit_code = 75
    about = "IMDS gave no usable answer before the deadline"


class MetadataRefused(BootstrapError):
    """IMDS answered, and another request would get the same answer."""

    code = "IB202"
    exit_code = 69
    about = "IMDS gave an answer that is final"


class IdentityUnavailable(BootstrapError):
    """The managed identity gave no token before the deadline; a later run may succeed."""

    code = "IB301"
    exit_code = 75
    about = "the managed identity gave no token before the deadline"


class IdentityRefused(BootstrapError):
    """This machine has no such managed identity, or the service that answers is not trusted."""

    code = "IB302"
    exit_code = 69
    about = "the managed identity cannot be used"


class SecretsUnavailable(BootstrapError):
    """Key Vault gave no usable answer before the deadline; a later run may succeed."""

    code = "IB303"
    exit_code = 75
    about = "Key Vault gave no usable answer before the deadline"


class SecretsRefused(BootstrapError):
    """Key Vault answered, and another request would get the same answer; every secret is a problem.

    The problem of a secret says why it could not be read.
    """

    code = "IB304"
    exit_code = 69
    about = "Key Vault gave an answer that is final"


class RenderError(BootstrapError):
    """Templates do not fit their values; every finding is a problem."""

    code = "IB401"
    exit_code = 65
    about = "the templates do not fit the values"


class WriteError(BootstrapError):
    """A file could not be written; all changes were rolled back."""

    code = "IB501"
    exit_code = 73
    about = "a file could not be written"


class UnsafeDestination(WriteError):
    """A destination is a link, or is in a place where this agent does not write."""

    code = "IB502"
    about = "a destination is not safe to write to"


class CommandFailed(BootstrapError):
    """A check or a handler ended with an error or took too long."""

    code = "IB503"
    exit_code = 1
    about = "a check or a handler failed"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to `name`, or None if none is close."""
    from difflib import get_close_matches  # imported only when an error is reported

    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None
