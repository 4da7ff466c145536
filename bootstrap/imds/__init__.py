"""The Azure Instance Metadata Service: this machine as the platform describes it.

    client    send requests until a response can be used or is final, or the deadline passes
    versions  the api-versions, and what an older one lacks
    instance  the instance document, read and checked
    tags      the tags by name, case-insensitively
    clouds    the Azure clouds, and the Key Vault addresses of each
    saved     an instance document that was saved, in the place of IMDS

Tokens of managed identities are in `identity`.
"""
