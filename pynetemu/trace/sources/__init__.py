"""Where sightings of packets come from: the kernel, packet sockets, nftables' own trace."""
