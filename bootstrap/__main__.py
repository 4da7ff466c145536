"""`python -m bootstrap` is `imds-bootstrap`."""

import sys

from bootstrap.cli import main

sys.exit(main())
