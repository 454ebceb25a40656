"""How a trace is shown: ladder, details, summary, Mermaid, JSON, pcapng."""
