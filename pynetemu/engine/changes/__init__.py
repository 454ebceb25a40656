"""What changes while a lab runs: its plan (`changes`), links taken down and up (`switching`), and what must stay (`kept`)."""
