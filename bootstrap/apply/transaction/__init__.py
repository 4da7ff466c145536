"""Carry out a plan: either all of it or nothing, even if the machine dies at any moment.

    run            carry out a plan and save the state: files, handlers and state as one transaction
    recovery       finish or undo an interrupted run, at the start of the next run
    journal        a record on disk of what is about to be done
    journal_entry  the record of one change in the journal
    step           one change forward: stage, save the original, rename into place
    commit         the transaction: all of a plan, or nothing
    handlers       run the handlers of changed files
    checks         run the check commands of files before and after they are published
    rollback       undo or finish all changes, by the journal alone

The journal is on disk before anything else is written.
"""
