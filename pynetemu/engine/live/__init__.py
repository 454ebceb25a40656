"""What the nodes are now: dumps of the kernel's tables, the namespace that they are seen from, names that follow addresses."""
