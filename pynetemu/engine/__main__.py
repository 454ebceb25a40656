"""The engine's process: `python -I -S pynetemu/engine/__main__.py`, with its channel to the user's process on descriptor 3.

It is started isolated, so that neither the user's environment nor site-packages slow it or change it; the first message
says where modules are found. This file stays small: Python compiles it anew at each start.
"""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from pynetemu.engine.sandbox import main

    main(3)
