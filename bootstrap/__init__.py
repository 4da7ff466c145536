"""Configure a machine at boot from what Azure says about it."""

import sys

from bootstrap.problem import Public

__version__ = "0.1.0"

# Where things lie, on every machine of this system. All but the first are below the root.
ROOT = "/"
CONFIGURATION = "/etc/imds-bootstrap"  # the image's: documents, templates, settings
LIBRARY = "/var/lib/imds-bootstrap"  # what the agent remembers
RUNTIME = "/run/imds-bootstrap"  # the lock, and the status for everybody
OWN_FOLDERS: tuple[str, ...] = (CONFIGURATION, LIBRARY, RUNTIME, "/var/run/imds-bootstrap")
USUAL_FOLDERS: tuple[str, ...] = ("/etc", "/opt", "/srv")  # where userData may place files
ENDINGS = (".yaml", ".yml", ".json")  # of what is read in config.d and agent.d
ELEVATE: str = Public("run it as root")  # what to do when the system refuses something
EVENTS = "journalctl -b -u imds-bootstrap"  # what shows all that a run has said

if sys.platform == "win32":
    from bootstrap.windows import *  # noqa: F403
