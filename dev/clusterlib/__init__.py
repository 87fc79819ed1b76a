"""The parts of dev/cluster: a real Slurm, sshd and Apptainer cluster on one Debian machine.

`layout` and `shell` are the ground floor, `daemons` starts and stops processes, then come one module per
part (`packages`, `sid`, `users`, `sshd`, `slurm`, `images`), and `up` tells the story in order.
"""
