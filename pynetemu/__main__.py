"""`python -m pynetemu` is `pynetemu`."""

import sys

from pynetemu.cli.main import main

sys.exit(main())
