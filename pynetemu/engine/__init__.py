"""Inside the sandbox: namespaces, operations on the kernel, processes; a few modules are for clients too."""
