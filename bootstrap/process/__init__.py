"""Commands: started, watched, and ended with all that they started.

    runner           run a command, and end it with all that it started
    kill_tree_posix  kill a command that takes too long, with all its descendants
    jobs_windows     a job of Windows for a command and all that it starts
    result           how a command has ended
    command          its words, how a message spells them, and what to do when it fails
    deadline         the run's own deadline, which no command may outlast

Nothing else in the program starts a process. `_runner_posix` and `_runner_windows` are the parts of
`runner` that differ by system; no other module imports them.
"""
