"""The interactive shell: lines such as `blue ping -c1 root`, jobs, and a prompt. A client of `network`, nothing more."""
