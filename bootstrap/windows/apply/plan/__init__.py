"""Planning on Windows.

    unsafe_path  who else could decide where a file ends up

It stands in for the module of its name.
"""
