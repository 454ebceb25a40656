"""Packets made with scapy, sent and received by nodes."""
