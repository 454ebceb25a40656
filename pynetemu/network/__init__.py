"""What users hold: live networks, as in `with Network(Blue()) as net: net["blue"].run("ping", "-c1", "root")`."""
