"""Tokens of the machine's managed identities, from IMDS and from Azure Arc.

    managed_identity   the tokens of one run: what the rooms after this one use
    identity_id        which of a machine's identities is meant
    service            the identity endpoint of IMDS
    token_request      ask until there is a token, or it is certain that there is none
    token              a token, read from a response and checked against the request
    token_cache        each token is requested once, however many ask for it
    arc                the identity endpoint of Azure Arc's agent, on a machine outside of Azure
    arc_key            the key file of Arc's challenge, which only trusted users can read
    arc_files_windows  where Arc's agent and its key files are on Windows, and how they are opened

No token is ever in a message.
"""
