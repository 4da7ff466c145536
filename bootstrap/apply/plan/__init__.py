"""The plan: what would change on the machine, and the destinations that are refused.

    plan          compare all wanted files with the machine: the changes and the due handlers
    preflight     the tree below the root: resolves paths, and refuses what blocks a file
    overlay       lstat and read of a file, now or as it will be once an interrupted run is undone
    unsafe_path   folders that others can write to
    confinement   the folders where userData may place files, with links resolved
    compare       compare one wanted file with the file at its path
    change        the values that a plan consists of
    prune         remove files of this agent that are no longer wanted
    own_paths     files that must not be overwritten: all that the agent itself reads
    unsafe_links  links in a path that users other than root could have made, for `validate`

Planning writes nothing: `plan` prints what `run` then does.
"""
