"""Configure a machine at boot from what Azure says about it."""

__version__ = "0.1.0"
