"""The relay: a process that moves the frames of impaired links from one end to the other."""
