"""How a container's network is made: a bridge on the machine, a veth pair to each container, NAT, and a published port.

                machine
    web  ────┐ ┌──────────────────────────────────┐
              ─┤ docker0          eth0            ├──── laptop
    db   ────┘ │ 172.17.0.1/16    192.168.0.194   │
               └──────────────────────────────────┘

Try in its shell:

    machine ip -br address              docker0 has the containers' gateway as its address
    machine bridge link                 its ports: the machine's ends of the veth pairs
    web ping -c1 db                     over the bridge
    web curl -s laptop                  out: the laptop sees the machine's address
    laptop curl -s machine:8080         in: port 8080 is published, as by `docker run -p 8080:80`
    machine nft list ruleset            the rules that do both
"""

from pynetemu import Bridge, Host, HttpServer, Link, Nat, Router, Topology


class Docker(Topology):
    machine = Router()
    laptop = Host()
    uplink = Link(machine.interface("eth0", "192.168.0.194/24"), laptop.interface("wlan0", "192.168.0.20/24"))

    docker0 = Bridge(machine, "docker0", "172.17.0.1/16")
    web, db = Host(), Host()
    wires = Link(docker0, web.interface("eth0", "172.17.0.2/16"))
    more = Link(docker0, db.interface("eth0", "172.17.0.3/16"))

    nat = Nat(machine, outside=uplink, forwards={8080: (web, 80)})
    web_page = HttpServer(web, port=80)
    db_page = HttpServer(db, port=80)
    laptop_page = HttpServer(laptop, port=80)
