"""Programs of ours that run in nodes: the web server of descriptions."""
