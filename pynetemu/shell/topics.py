"""Which commands of ours there are, by the module that has them: known without importing any."""

# The commands of each module of pynetemu.shell.commands, so that a line is told apart without importing any. To add one,
# write it there with @command and name it here; a test compares the two.
TOPICS = {
    "network": "nodes net links intfs interfaces ip ports dump link impair switch plan graph save",
    "changes": "add remove move undo",
    "state": "routes rules arp neigh fdb stats queues sockets",
    "events": "events diff",
    "reachability": "pingall pingallfull pingpair pingpairfull iperf iperfudp",
    "services": "services logs",
    "power": "pause resume stop start",
    "packets": "trace why",
    "captures": "capture captures",
    "jobs": "jobs fg bg wait kill",
    "script": "source set time watch alias unalias",
    "python": "py px",
    "machine": "sh cd term xterm gterm x noecho attach",
    "session": "help ? history clear keys reload exit quit",
}
TOPIC_OF = {name: topic for topic, names in TOPICS.items() for name in names.split()}
