"""TODO.

unsafe_path  who else could decide where a file ends up
"""
