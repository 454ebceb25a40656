"""The article's lab: the namespace `blue`, joined to the machine by a veth pair, with a web server on either side.

         root (the machine)                              blue
    eth0 192.168.0.194   veth_root 10.0.0.1 ──────── veth_blue 10.0.0.2

Try in its shell:

    blue ping -c 1 root
    blue curl host:8080
    root curl blue:8080
    blue ip route del default          and then again: blue curl host:8080
    blue ip route add default via 10.0.0.1
"""

from pynetemu import Host, HttpServer, Link, Root, Topology


class Blue(Topology):
    root = Root(address="192.168.0.194/24")
    blue = Host(default_via="10.0.0.1")
    wire = Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))
    root_web = HttpServer(root, port=8080)
    blue_web = HttpServer(blue, port=8080)
