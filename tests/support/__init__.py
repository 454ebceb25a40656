"""What tests share: running pynetemu, waiting for a condition, a terminal, and looking for what a lab left behind."""
