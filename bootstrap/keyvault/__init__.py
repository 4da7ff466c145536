"""Secrets: from the name in a document to the value in Key Vault.

    resolve       the references of a configuration, and what stands in their places
    fetch         all secrets of a configuration, several at a time, by one deadline
    request       one secret, asked for until there is an answer to keep
    backoff       how long to wait before asking again, alone or as one of a thousand
    urls          where a secret is asked for: a URL made of checked parts
    client        the way there: HTTPS on connections that are kept
    tls           whose word for a vault's name is taken
    limiter       how many questions are under way at once
    responses     what each answer means, and the words for people
    encoding      a secret as it is stored -> what a document asks for
    certificates  a certificate with its key, taken apart

What comes out is a `Secret`, which shows as `***` until a template or a file needs it.
"""
