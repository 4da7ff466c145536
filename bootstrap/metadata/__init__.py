"""Tokens of the machine's managed identities, from IMDS and from Azure Arc.

    identity          the tokens of one run: what the rooms after this one ask
    identity_service  the identity endpoint of IMDS: how it is asked
    selector          which of a machine's identities is meant
    token_request     asks until there is a token, or it is certain that there is none
    token_answer      whether what came is a token, and the one that was asked for
    token_shelf       each token is asked for once, whoever and how many ask
    arc               a machine outside Azure that its agent gives an identity
    arc_key           the proof that Arc asks for: a file that only trusted users can read

`identity` is what the rooms after this one use.
"""
