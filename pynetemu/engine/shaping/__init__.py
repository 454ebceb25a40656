"""What makes links like real ones: the kernel's queueing disciplines and filters, and the relay's process."""
