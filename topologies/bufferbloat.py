"""A queue that is far too long, as home routers had them: downloads make everything else wait.

    home ── r1 ═════ 10 mbit, 10 ms, 1 MB of queue ═════ server

Try in its shell:

    server iperf3 -sD
    home iperf3 -R -P8 -t30 -c server >/dev/null &  downloads: the queue fills
    home ping -c5 server                            many times the 20 ms that it takes alone
    impair r1 server queue=codel                    the same queue, managed (RFC 8289)
    home ping -c5 server                            soon a fraction of that, beside the same downloads
"""

from pynetemu import Host, Link, Router, Topology


class Bufferbloat(Topology):
    home, server = Host(), Host()
    r1 = Router()
    lan = Link(home, r1)
    uplink = Link(r1, server, rate="10mbit", delay="10ms", limit="1mb")
