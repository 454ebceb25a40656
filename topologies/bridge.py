"""Two namespaces on a bridge, and the machine itself as the third: the article's lab, grown by a switch.

    root 10.0.0.1 ───── s1 ───── blue 10.0.0.2
                         |
                  green 10.0.0.3

Try in its shell:

    blue ping -c 1 green
    green curl blue:8080
    s1 bridge link                     the ports of the bridge, named after their neighbors
    s1 ip link set blue down           and then again: green curl blue:8080
"""

from pynetemu import Host, HttpServer, Link, Root, Switch, Topology


class Bridge(Topology):
    root = Root(address="192.168.0.194/24")
    s1 = Switch()
    blue = Host(default_via="10.0.0.1")
    green = Host(default_via="10.0.0.1")

    root_wire = Link(root.interface("veth_root", "10.0.0.1/24"), s1)
    blue_wire = Link(blue.interface("veth_blue", "10.0.0.2/24"), s1)
    green_wire = Link(green.interface("veth_green", "10.0.0.3/24"), s1)

    blue_web = HttpServer(blue, port=8080)
