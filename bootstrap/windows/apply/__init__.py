"""Applying on Windows."""
