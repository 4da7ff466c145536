"""Tokens of the machine's managed identities, from IMDS and from Azure Arc.

    managed_identity   the tokens of one run: the client that the other packages use
    identity_id        which of a machine's identities a token is for
    service            the identity endpoint of IMDS
    token_request      request a token until there is one or an error is final
    token              a token, read from a response and checked against the request
    token_cache        request each token once, for any number of callers
    arc                the identity endpoint of Azure Arc's agent, on a machine outside of Azure
    arc_key            the key file of Arc's challenge, which only trusted users can read
    arc_files_windows  where Arc's agent and its key files are on Windows, and how they are opened

No message ever holds a token.
"""
