"""Client of Key Vault: from the name of a secret in a document to its value.

    resolve       the references of a configuration, and the secrets in their places
    fetch         fetches all secrets of a configuration in parallel, with one deadline
    request       requests one secret, with retries
    backoff       how long to wait before a retry, also when a thousand machines boot at once
    urls          the URL of a secret, made of checked parts
    client        HTTPS with persistent connections
    tls           the certificate authorities that are trusted
    limiter       the number of concurrent requests
    responses     what each response means, and its message for people
    encoding      converts a stored secret to the form that a document asks for
    certificates  splits a certificate with its key into parts

The result is a `Secret`, which prints as `***` until a template or a file needs it.
"""
