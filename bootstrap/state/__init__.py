"""The state of this machine, as the last run left it, and the lock that allows one run at a time.

    paths        the paths of the agent's own files
    record       the state of one machine, to JSON and strictly back
    store        states on disk: load, repair, save, remove
    manifest     the files that the agent left on the machine, and whether they have drifted
    fingerprint  a digest of everything that a run is made from
    lock         one run at a time

Its files are the agent's own; those of the applications are written by `apply`.
"""
