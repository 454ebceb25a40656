"""`python -m pynetemu` is `pynetemu`."""

import sys

from pynetemu.cli.start import main

sys.exit(main())
