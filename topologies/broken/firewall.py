"""blue can ping web, and gets no page from it. Why?

    blue ───── r1 ───── web

Try in its shell:

    blue ping -c1 web                  works
    trace blue curl -m1 http://web/
"""

from pynetemu import Host, HttpServer, Link, Router, Service, Topology, finished

_RULES = """
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy accept;
        ct state established,related accept
        ip protocol icmp accept
        tcp dport { 22, 443 } accept
        ip saddr 10.0.1.0/24 drop
    }
}
"""


class Firewall(Topology):
    blue = Host(default_via="10.0.1.1")
    r1 = Router()
    web = Host(default_via="10.0.2.1")
    near = Link(blue.interface("eth0", "10.0.1.2/24"), r1.interface("eth0", "10.0.1.1/24"))
    far = Link(r1.interface("eth1", "10.0.2.1/24"), web.interface("eth0", "10.0.2.2/24"))
    page = HttpServer(web, port=80)
    rules = Service(r1, f"nft -f - <<'EOF'\n{_RULES}EOF", ready=finished())
