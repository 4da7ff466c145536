"""Bytes and tags to one validated configuration, every value with its origin."""
