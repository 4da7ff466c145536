"""The entry of `python -m bootstrap`, the same as `imds-bootstrap`."""

import sys

from bootstrap.cli import main

sys.exit(main())
