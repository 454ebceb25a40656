"""From a description to a plan: what the kernel must become, as frozen data that prints as text, commands or JSON."""
