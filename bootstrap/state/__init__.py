"""What was done, for this machine; and that one run does it at a time.

    paths       where everything lies
    record      the state of one machine, to JSON and strictly back
    store       states on disk: looked at, put in order, saved, forgotten
    fulfilment  a plan carried out and remembered: files, handlers and state as one transaction
    recovery    a run that was interrupted, finished or undone by the next one
    lock        one run at a time

Files are written by `apply`; what is asked of it here are the agent's own.
"""
