"""What makes a node a machine to the programs in it: its own processes, name and files. Made when it first runs one."""
