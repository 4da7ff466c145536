"""Secrets from Key Vault: an empty room, so documents that name secrets are refused."""
