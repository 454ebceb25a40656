"""The server runs, it answers itself, and blue's connection is refused. Why?

    blue ───── web

Try in its shell:

    web curl -s http://127.0.0.1:8000/ -o /dev/null      a page
    trace blue curl -m1 http://web:8000/
"""

from pynetemu import Host, Link, Service, Topology, tcp


class NotListening(Topology):
    blue = Host()
    web = Host()
    wire = Link(blue.interface("eth0", "10.0.1.2/24"), web.interface("eth0", "10.0.1.10/24"))
    server = Service(web, "python3 -m http.server 8000 --bind 127.0.0.1 --directory /sys/class/net", ready=tcp(8000))
