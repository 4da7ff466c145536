"""A faithful Instance Metadata Service on loopback, with faults on request."""
