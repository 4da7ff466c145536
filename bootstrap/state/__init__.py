"""What was done, for this machine; and that one run does it at a time.

    paths        where everything lies
    record       the state of one machine, to JSON and strictly back
    store        states on disk: looked at, put in order, saved, forgotten
    manifest     what the agent left on the machine, and whether it is still so
    fingerprint  a digest of everything that a run is made from
    lock         one run at a time

Its files are the agent's own; those of the applications are written by `apply`.
"""
