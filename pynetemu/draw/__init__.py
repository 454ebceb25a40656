"""Pictures of a plan: in the terminal, and as SVG, PNG, Graphviz DOT and Mermaid.

    plan ─▶ graph ─▶ groups ─▶ layout ─▶ text, svg ─▶ files
                        └────────────────▶ dot, mermaid

`graph` is the only module that reads operations. `layout` is the only one that knows the layout library (graphlay).
"""
