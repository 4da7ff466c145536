"""An Instance Metadata Service and Key Vaults on loopback, for anyone who tests an image.

Faithful where they answer, scripted where they fail.

What a machine file says:

    machine         one emulated VM
    fault           what can go wrong with one answer
    identities      its managed identities, and its Arc agent
    vault           one Key Vault

How it is read, by `schema/machine.schema.json`, every mistake at its line and column:

    machine_file    YAML -> Machine
    vault_file      its vaults
    checks          what the schema cannot say
    machine_source  a machine that is edited while it is served

One request -> one reply, without a socket:

    messages        requests and replies, as all services have them
    imds            the rules of the instance service
    document        the instance document, with every field
    versions        which field appeared when
    identity        the rules of the identity endpoint
    arc             the challenge of an Arc machine's agent
    tokens          what was given out, to whom and for whom
    key_vault       the rules of the vaults
    vault_replies   their bodies
    paging          their lists, a page at a time
    secret_store    what they hold, version by version
    clouds          how the clouds name themselves
    ids             ids that stay

How it is served:

    faults          the script, and what it makes of an answer
    rate            so many requests a second, and at a time
    services        what answers on which port
    request_log     what was asked
    fault_delivery  a reply -> bytes, whole, dripping, cut or reset
    connections     HTTP/1.1 on a socket
    listener        a port, its threads, and their end
    test_ca         a certificate authority made on the spot
    vault_port      TLS
    server          the emulator

Only `bootstrap.cli` and tests import this room; a boot never does.
"""

from __future__ import annotations

from bootstrap.emulator.server import Emulator, Request

__all__ = ["Emulator", "Request"]
