"""What the nodes of a lab are asked about a packet: tables, rules, queues, counters, and what these say together."""
