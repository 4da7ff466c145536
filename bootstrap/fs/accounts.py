"""Users and groups by name, and the access that a file gets by them.

On POSIX systems they are those of the machine, or those of the tree below `root`. On Windows they
are accounts and access lists.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bootstrap.fs._accounts_windows import Accounts
else:
    from bootstrap.fs._accounts_posix import Accounts

__all__ = ["Accounts"]
