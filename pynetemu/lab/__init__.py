"""A running lab from outside: the connection to its engine, its nodes, processes, services, and what its kernel has now."""
