"""Open the listening sockets: TCP, a unix socket, or what systemd hands over."""

import errno
import os
import socket
import stat
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from visitor_tracker.config import ServerConfig
from visitor_tracker.errors import ListenError

FIRST_PASSED_FD = 3  # sd_listen_fds(3)
DEFER_ACCEPT_SECONDS = 3
PORT_ATTEMPTS = 8  # for port 0 on two address families: the number free on one may be taken on the other


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening, non-blocking socket; `path` is the socket file to remove at the end, if we made one."""

    sock: socket.socket
    unix: bool = False
    secure: bool = False
    name: str = ""
    path: Path | None = None
    family: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", int(self.sock.family))

    @property
    def where(self) -> str:
        """Return what an operator or a browser would type."""
        if self.unix:
            return f"unix:{self.sock.getsockname()}"
        host, port = self.sock.getsockname()[:2]
        return f"{'https' if self.secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def open_listeners(
    server: ServerConfig, *, backlog: int, secure: bool = False, environment: MutableMapping[str, str] | None = None
) -> list[Listener]:
    """Open every listener the settings ask for; sockets passed by systemd are used instead of them.

    Raises ListenError, with nothing left open.
    """
    passed = _take_passed(os.environ if environment is None else environment, secure)
    if passed:
        for listener in passed:
            _prepare(listener, backlog)
        return passed
    opened: list[Listener] = []
    try:
        if server.host:
            opened += [Listener(sock, secure=secure) for sock in _open_tcp(server.host, server.port)]
        if server.socket:
            opened.append(_open_unix(Path(server.socket), int(server.socket_mode, 8)))
        for listener in opened:
            _prepare(listener, backlog)
    except BaseException:
        close_listeners(opened, remove_files=True)
        raise
    return opened


def close_listeners(listeners: list[Listener], *, remove_files: bool) -> None:
    """Stop listening in this process; only the process that opened the socket files removes them."""
    for listener in listeners:
        listener.sock.close()
        if remove_files and listener.path is not None:
            with suppress(OSError):
                listener.path.unlink()


def _prepare(listener: Listener, backlog: int) -> None:
    sock = listener.sock
    if not listener.unix:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DEFER_ACCEPT_SECONDS)
    sock.listen(backlog)
    sock.setblocking(False)


def _open_tcp(host: str, port: int) -> list[socket.socket]:
    addresses = _resolve(host, port)
    for attempt in range(PORT_ATTEMPTS):
        try:
            return _bind_all(addresses, port)
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE or attempt == PORT_ATTEMPTS - 1:
                raise ListenError(_why_not(error, host, port)) from error
    raise AssertionError("the last attempt returns or raises")


def _resolve(host: str, port: int) -> list[tuple[int, str]]:
    """Return (family, address) of every local address the host name stands for."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise ListenError(
            f"cannot listen on {host!r}: no such address; server.host must be an address of this machine"
        ) from error
    addresses = {(int(family), str(address[0])): None for family, _, _, _, address in found}
    if host == "localhost":  # both families, whatever /etc/hosts has
        addresses |= {(int(socket.AF_INET), "127.0.0.1"): None, (int(socket.AF_INET6), "::1"): None}
    return sorted(addresses)


def _bind_all(addresses: list[tuple[int, str]], port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    unusable: OSError | None = None
    try:
        for family, address in addresses:
            try:
                bound.append(_bind(family, address, port))
            except OSError as error:
                if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    raise
                unusable = error  # for example no IPv6 on this machine: the other family will do
            else:
                port = bound[0].getsockname()[1]
    except BaseException:
        for sock in bound:
            sock.close()
        raise
    if not bound and unusable is not None:
        raise unusable
    return bound


def _bind(family: int, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
        sock.bind((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _why_not(error: OSError, host: str, port: int) -> str:
    place = f"cannot listen on {host} port {port}"
    if error.errno == errno.EADDRINUSE:
        return f"{place}: another program uses that port; stop it or set server.port to another one"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{place}: not permitted; ports below 1024 need root, CAP_NET_BIND_SERVICE or a systemd socket, "
            "or set server.port to 1024 or more"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{place}: this machine has no such address; set server.host to one of its own, or 0.0.0.0 for all"
    return f"{place}: {error.strerror}"


def _open_unix(path: Path, mode: int) -> Listener:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        previous = os.umask(0o777)  # nobody may connect before the mode is set
        try:
            sock.bind(str(path))
        finally:
            os.umask(previous)
        path.chmod(mode)
    except OSError as error:
        sock.close()
        raise ListenError(
            f"cannot listen on the unix socket {path}: {error.strerror or error}; change server.socket"
        ) from error
    except BaseException:
        sock.close()
        raise
    return Listener(sock, unix=True, path=path)


def _remove_stale(path: Path) -> None:
    """Remove the file that a killed server left; refuse when it is no socket or somebody answers on it."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ListenError(f"cannot listen on the unix socket {path}: a file of another kind is there; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:  # its backlog is full, so somebody owns it
            pass
    raise ListenError(f"cannot listen on the unix socket {path}: another server answers on it; stop that one first")


def _take_passed(environment: MutableMapping[str, str], secure: bool) -> list[Listener]:
    """Take over the sockets of sd_listen_fds(3), and hide them from the children of this process."""
    count = _passed_count(environment)
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environment.pop(variable, None)
    listeners = []
    for number in range(count):
        fd = FIRST_PASSED_FD + number
        os.set_inheritable(fd, False)
        listeners.append(_passed(fd, names[number] if number < len(names) else "", secure))
    return listeners


def _passed_count(environment: Mapping[str, str]) -> int:
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(os.getpid()) or not count.isdigit():
        return 0
    return int(count)


def _passed(fd: int, name: str, secure: bool) -> Listener:
    try:
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise ListenError(f"descriptor {fd} ({name or 'unnamed'}) passed by systemd is no socket") from error
    if sock.type != socket.SOCK_STREAM or sock.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        raise ListenError(f"descriptor {fd} ({name or 'unnamed'}) passed by systemd must be ListenStream=")
    unix = sock.family == socket.AF_UNIX
    return Listener(sock, unix=unix, secure=secure and not unix, name=name)
