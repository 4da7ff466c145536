"""What was done, for this machine; and that one run does it at a time.

    paths     where everything lies
    record    the state of one machine, to JSON and strictly back
    store     states on disk: looked at, put in order, saved, forgotten
    lock      one run at a time

Files are written by `apply`; what is asked of it here are the agent's own.
    manifest  what the agent left on the machine, and whether it is still so
"""
