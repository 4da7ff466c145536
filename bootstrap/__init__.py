"""Configure a machine at boot from its Azure metadata."""

__version__ = "0.1.0"
