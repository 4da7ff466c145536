"""An Instance Metadata Service on loopback, faithful where it answers and scripted where it fails.

    machine        what one emulated VM is: identity, tags, userData, faults
    kinds          what each key of a machine file may hold
    machine_file   YAML -> Machine, every mistake at its line and column
    origin         a machine that is edited while it is served
    document       Machine -> the whole instance document
    versions       which field appeared in which api-version
    imds           one request -> one reply: the rules of the service
    rate           so many requests a second
    faults         the script of what goes wrong, and what that does to a reply
    delivery       a reply -> bytes on a connection, whole, dripping, cut or reset
    connections    HTTP/1.1 on sockets, and how to end them
    server         the emulator: threads, and the record of what was asked

Only `bootstrap.cli` and tests import this room; a boot never does.
"""

from __future__ import annotations

from bootstrap.emulator.server import Emulator, Request

__all__ = ["Emulator", "Request"]
