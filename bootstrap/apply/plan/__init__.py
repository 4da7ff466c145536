"""What would change on the machine, and what must not.

    plan          all wanted files against the machine: the changes, and the handlers that are due
    preflight     the tree below the root: what its names mean, and what stands in the way
    overlay       what stands at a place, or will once an interrupted run is undone
    unsafe_path   folders that others can write to
    confinement   where userData may place files, links taken by their aim
    compare       one wanted file against what stands there
    change        the values that a plan consists of
    prune         files of this agent that nobody wants any more
    own_paths     what no file may be written over: all that the agent itself reads
    unsafe_links  links on the way that others could have made, for `validate`

Planning writes nothing: `plan` prints what `run` then does.
"""
