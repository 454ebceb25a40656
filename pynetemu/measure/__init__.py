"""Measurements between nodes: round trips and throughput."""
