"""Prints how long a star of N hosts takes to come up, from the topology to the network that is ready."""

import sys
import time

from pynetemu import Network
from topologies.star import Star

if __name__ == "__main__":
    start = time.perf_counter()
    with Network(Star(n=int(sys.argv[1]))):
        print(time.perf_counter() - start)
