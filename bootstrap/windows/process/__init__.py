"""Commands on Windows.

    runner  processes, started and brought to an end with their children
    jobs    a command and all that it starts, held together

The runner stands in for the module of its name.
"""
