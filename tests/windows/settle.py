"""Settle what an interrupted run has left, as the next run does first, and say how."""

from bootstrap import ROOT
from bootstrap.apply.transaction import recovery
from bootstrap.state.lock import Lock

with Lock(root=ROOT, wait=10):
    recovered = recovery.recover(root=ROOT)
print(recovered.verdict if recovered else "nothing")
