"""The Azure Instance Metadata Service: this machine as the platform describes it.

    client        ask until there is a usable response, a final one, or no time left
    versions      the api-versions, and what an older one cannot say
    instance      the instance document, read and checked
    completeness  what an answer leaves out, in words for people
    saved         an instance document that was saved, in the place of IMDS
    tags          the tags by name, in whatever case it is written
    clouds        the Azure clouds, and where each has its Key Vaults

Tokens of managed identities are in `identity`.
"""
