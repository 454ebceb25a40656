"""What a user's process and an engine say to each other: requests and answers (`requests`), over a socket (`channel`)."""
