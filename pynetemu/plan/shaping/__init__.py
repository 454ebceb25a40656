"""What links do to packets: the value that says it, what does it, and files of links that vary over time."""
