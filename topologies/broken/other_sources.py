"""web has joined 239.1.1.1, and gets nothing of what blue sends. Why?

    blue ── s1 ── web

Try in its shell:

    trace blue python3 -c 'import socket; socket.socket(2, 2).sendto(b"x", ("239.1.1.1", 5000))'

By hand: `web cat /proc/net/mcfilter`: the group is joined for one source only, which is not blue.
"""

from pynetemu import Host, Link, Service, Switch, Topology, finished, udp

_LISTEN = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group, own, source = map(socket.inet_aton, ("239.1.1.1", "10.0.1.10", "10.0.1.77"))
s.setsockopt(socket.IPPROTO_IP, 39, group + own + source)  # IP_ADD_SOURCE_MEMBERSHIP
s.bind(("", 5000))
time.sleep(600)
"""


class OtherSources(Topology):
    blue, web = Host(), Host()
    s1 = Switch()
    Link(blue.interface("eth0", "10.0.1.2/24"), s1)
    Link(web.interface("eth0", "10.0.1.10/24"), s1)
    groups = Service(blue, "ip route add 239.0.0.0/8 dev eth0", ready=finished())
    # A sensor that has moved: it had the address 10.0.1.77.
    listener = Service(web, f"exec python3 -c '{_LISTEN}'", ready=udp(5000))
