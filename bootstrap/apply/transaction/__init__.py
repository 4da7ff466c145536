"""A plan carried out: all of it or nothing, whenever the machine may die.

    run            a plan carried out and remembered: files, handlers and state as one transaction
    recovery       a run that was interrupted, finished or undone by the next one
    journal        what is about to be done, on disk before it is
    journal_entry  one change, as the journal tells it
    step           one change forward: stage, keep the old, publish
    commit         the transaction: all of a plan, or nothing
    handlers       who has to hear that files have changed
    checks         a program's opinion of the file that it is about to get
    rollback       everything backward, or to its end, by the journal alone

The journal is on disk before anything else is.
"""
