"""An Instance Metadata Service and Key Vaults on loopback, for tests of an image.

Answers follow the real services. Failures follow the script in the machine file.

The content of a machine file:

    machine         one emulated VM
    fault           what can go wrong with one answer
    identities      its managed identities, and its Arc agent
    vault           one Key Vault

The reading of a machine file. `schema/machine.schema.json` checks it, and each mistake is reported
with its line and column:

    machine_file    YAML -> Machine
    vault_file      its vaults
    checks          the checks that JSON Schema cannot express
    machine_source  a machine that is edited while it is served

One request -> one reply, without a socket:

    messages        the requests and replies of all services
    imds            the rules of the instance service
    document        the instance document, with every field
    versions        the api-version in which each field appeared
    identity        the rules of the identity endpoint
    arc             the challenge of an Arc machine's agent
    tokens          the issued tokens, with identity and audience
    key_vault       the rules of the vaults
    vault_replies   the bodies of their replies
    paging          their lists, one page at a time
    secret_store    the versions of their secrets and certificates
    clouds          the host names and audiences of the clouds
    ids             ids that are the same in every run

The server:

    faults          the fault script, and the reply that a fault causes
    rate            limits of requests per second and of requests at the same time
    services        the service of each port
    request_log     the requests that a service received
    fault_delivery  a reply -> bytes, whole, dripping, cut or reset
    connections     HTTP/1.1 on a socket
    listener        a port, its threads, and their end
    test_ca         a certificate authority that is created at the start
    vault_port      TLS
    server          the emulator

Only `bootstrap.cli` and tests import this room; a boot never does.
"""

from __future__ import annotations

from bootstrap.emulator.server import Emulator, Request

__all__ = ["Emulator", "Request"]
