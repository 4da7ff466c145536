"""What the platform says: is this Azure, which machine is it, what was it given.

    dmi        the firmware's word, without any network
    imds       asks until there is a usable answer, a final one, or no time left
    versions   which api-versions there are, and what an older one cannot say
    instance   the machine as IMDS describes it
    tag_names  tags by name, in whatever case it is written

Tokens of the machine's managed identities, over the same wire:

    identity          the tokens of one run: what the rooms after this one ask
    identity_service  the identity endpoint of IMDS: how it is asked
    selector          which of a machine's identities is meant
    token_request     asks until there is a token, or it is certain that there is none
    token_answer      whether what came is a token, and the one that was asked for
    token_shelf       each token is asked for once, whoever and how many ask
    clouds            where each cloud has its Key Vaults
    arc               a machine outside Azure that its agent gives an identity
    arc_key           the proof that Arc asks for: a file that only trusted users can read
"""
