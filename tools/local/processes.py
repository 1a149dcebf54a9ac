"""Identify processes despite reused pids, and find the owner of a port."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PROC = Path("/proc")
HAS_PROC = (PROC / "self/stat").exists()  # Linux; other systems use ps and lsof
LOOPBACK = "127.0.0.1"
_TCP_LISTEN = "0A"  # st column of /proc/net/tcp, include/net/tcp_states.h


def start_mark(pid: int) -> str | None:
    """Return a string that identifies this process among all that ever have its pid; None if it is not alive.

    A zombie counts as not alive.
    """
    if HAS_PROC:
        fields = _stat(pid)
        if fields is None or fields[0] in "ZX":
            return None
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{fields[19]}"
    listing = _ps("-o", "stat=", "-o", "lstart=", "-p", str(pid)).split(maxsplit=1)
    return None if len(listing) != 2 or listing[0].startswith("Z") else listing[1].strip()


def stop_group(leader: int, mark: str, own_path: Path, grace_seconds: float = 5) -> None:
    """Stop the process group of ``leader``: SIGTERM, then SIGKILL after ``grace_seconds``.

    Only identified processes are signalled: the leader by its start mark, or any member by ``own_path``
    in its command line. A reused pid is never signalled.
    """
    if start_mark(leader) == mark:
        members = group_members(leader)
    else:
        members = [pid for pid in group_members(leader) if str(own_path) in command_line(pid)]
    marks = {pid: started for pid in members if (started := start_mark(pid))}
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in alive(marks):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + grace_seconds
        while alive(marks) and time.monotonic() < deadline:
            time.sleep(0.02)


def alive(marks: dict[int, str]) -> list[int]:
    """Return the processes that still run. Ended child processes are reaped."""
    for pid in marks:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return [pid for pid, mark in marks.items() if start_mark(pid) == mark]


def group_members(group: int) -> list[int]:
    """Return the processes of a process group, the leader first."""
    if HAS_PROC:
        pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
        members = [pid for pid in pids if (fields := _stat(pid)) and int(fields[2]) == group]
    else:
        rows = (line.split() for line in _ps("-ax", "-o", "pid=", "-o", "pgid=").splitlines())
        members = [int(pid) for pid, owner in rows if int(owner) == group]
    return sorted(members, key=lambda pid: pid != group)


def command_line(pid: int) -> str:
    """Return the command line of a process, or "" if it cannot be read."""
    if not HAS_PROC:
        return _ps("-o", "command=", "-p", str(pid)).strip()
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode(errors="replace").strip()


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:``port`` now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        # On macOS a bind succeeds beside a server that listens on all addresses, so connect first.
        if probe.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        return int(server.getsockname()[1])


def port_holder(port: int) -> str | None:
    """Return the owner of a port as ``pid 123 (command line)``, or None if it cannot be read."""
    pid = _listener_in_proc(port) if HAS_PROC else _listener_of_lsof(port)
    return None if pid is None else f"pid {pid} ({command_line(pid)[:120]})"


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat after the command's name: state, ppid, pgrp, ... (proc(5))."""
    try:
        # The name is in parentheses, and may contain spaces and parentheses.
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _ps(*arguments: str) -> str:
    # ps prints start times in the time zone, which may change between `make up` and `make down`.
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(
        ["ps", "-ww", *arguments], capture_output=True, text=True, env=environment, check=False
    ).stdout


def _listener_in_proc(port: int) -> int | None:
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _TCP_LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for descriptor in PROC.glob("[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) in inodes:
                return int(descriptor.parts[2])
    return None


def _listener_of_lsof(port: int) -> int | None:
    command = ["lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN"]
    try:
        pids = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    except FileNotFoundError:
        return None
    return int(pids[0]) if pids else None
