"""What /proc says of a process and its descendants: CPU time, memory, listening sockets."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LISTEN = "0A"


def tree(pid: int) -> list[int]:
    """Return the process and all its living descendants."""
    found = [pid]
    for parent in found:
        for task in _children_files(parent):
            found += [int(child) for child in _read(task).split()]
    return found


def children(pid: int) -> list[int]:
    """Return the children of a process, oldest first."""
    found = [int(child) for task in _children_files(pid) for child in _read(task).split()]
    return sorted(found, key=lambda child: int(_read(Path(f"/proc/{child}/stat")).rpartition(")")[2].split()[19]))


def cpu_seconds(pid: int) -> float:
    """Return user + system time of the tree, with that of children already waited for; resolution 10 ms."""
    return sum(cpu_times(pid))


def cpu_times(pid: int) -> tuple[float, float]:
    """Return user and system time as `cpu_seconds` counts them."""
    user = system = 0
    for member in tree(pid):
        fields = _read(Path(f"/proc/{member}/stat")).rpartition(")")[2].split()
        its_user, its_system, waited_user, waited_system = (
            int(value) for value in fields[11:15] or (0, 0, 0, 0)
        )  # proc(5)
        user += its_user + waited_user
        system += its_system + waited_system
    return user / _TICKS, system / _TICKS


def resident_bytes(pid: int) -> int:
    """Return the resident set of the tree; pages shared by a fork count once in each member."""
    pages = (_read(Path(f"/proc/{member}/statm")).split() for member in tree(pid))
    return sum(int(fields[1]) for fields in pages if fields) * os.sysconf("SC_PAGE_SIZE")


def owns_listener(pid: int, port: int) -> bool:
    """Say whether every listening socket on that TCP port is held by the tree, and there is one."""
    listening = _listening_inodes(port)
    held = {link for member in tree(pid) for link in _descriptor_links(member)}
    return bool(listening) and all(f"socket:[{inode}]" in held for inode in listening)


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _read(Path(table)).splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _descriptor_links(pid: int) -> list[str]:
    links = []
    for descriptor in _entries(Path(f"/proc/{pid}/fd")):
        try:
            links.append(str(descriptor.readlink()))
        except OSError:
            continue  # closed meanwhile
    return links


def _children_files(pid: int) -> list[Path]:
    return [task / "children" for task in _entries(Path(f"/proc/{pid}/task"))]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []  # ended meanwhile


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def members_of_session(session: int) -> list[int]:
    """Return the processes of a session, e.g. what its dead leader left behind."""
    found = []
    for entry in _entries(Path("/proc")):
        fields = _read(entry / "stat").rpartition(")")[2].split() if entry.name.isdigit() else []
        if fields and int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found
