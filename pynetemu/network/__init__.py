"""Live networks in the user's process: `with Network(Blue()) as net: net["blue"].run("ping", "-c1", "root")`."""
