"""Contents to files on the machine: plan, stage, commit, notify.

What a plan is made of, and how it is made:

    plan          all wanted files against the machine: the changes, and the handlers that are due
    change        the values that a plan consists of
    comparison    one wanted file against what stands there
    prune         files of this agent that nobody wants any more
    ground        the tree below the root: what its names mean, and what stands in the way
    standing      what stands at a place, or will once an interrupted run is undone
    bounds        where userData may place files, links taken by their aim
    own_paths     what no file may be written over: all that the agent itself reads
    strangers     folders that others can write to
    unsafe_links  links on the way that others could have made, for `validate`
    written       what the agent left on the machine, and whether it is still so

How a plan is carried out, and how it is taken back:

    commit        the transaction: all of a plan, or nothing
    journal       what is about to be done, on disk before it is
    entries       one change, as the journal tells it
    steps         one change forward: stage, keep the old, publish
    settling      everything backward, or to its end, by the journal alone
    checks        a program's opinion of the file that it is about to get
    handlers      who has to hear that files have changed
    sealing       credentials that only this machine can read

What both stand on:

"""
