"""The promises of docs/security.md, attacked: one file for each kind.

Each case is named by the promise that it keeps. What a kind of attack needs besides its own file
(the emulator, the search for canaries) is that of tests/secrets and of the program's own emulator.
docs/security.md has the list of the files, each with what it shows; test_index.py keeps it whole.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "secrets"))  # canaries.py; tests are no package
