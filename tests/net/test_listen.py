"""Opening listening sockets, and the messages when that is impossible."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.net.processes import ROOT
from tests.net.serving import Reader, get, serving
from visitor_tracker.config import ServerConfig
from visitor_tracker.errors import ListenError
from visitor_tracker.net.listen import close_listeners, open_listeners


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def families(host: str) -> set[int]:
    listeners = open_listeners(ServerConfig(host=host, port=0), backlog=10, environment={})
    assert len({listener.sock.getsockname()[1] for listener in listeners}) == 1  # one port for all
    found = {int(listener.sock.family) for listener in listeners}
    close_listeners(listeners, remove_files=True)
    return found


def test_localhost_is_both_families_where_there_are_both() -> None:
    both = {int(socket.AF_INET), int(socket.AF_INET6)} if has_ipv6() else {int(socket.AF_INET)}
    assert families("localhost") == both
    assert families("127.0.0.1") == {socket.AF_INET}


def test_where_it_listens_can_be_typed_into_a_browser() -> None:
    [listener] = open_listeners(ServerConfig(port=0), backlog=10, environment={})
    assert listener.where == f"http://127.0.0.1:{listener.sock.getsockname()[1]}"
    close_listeners([listener], remove_files=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::"])
def test_requests_arrive_over_every_family(host: str) -> None:
    server = ServerConfig(host=host if has_ipv6() or ":" not in host else "127.0.0.1", port=0)
    with serving(server=server) as served:
        for target in {"::1", "127.0.0.1"} if server.host == "::" else {server.host}:
            with socket.create_connection((target, served.port), 10) as sock:
                sock.sendall(get("/peer"))
                assert Reader(sock).answer().body == f"{target} False False".encode()


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("192.0.2.1", "server.host"),
        ("no-such-host.invalid", "server.host"),
    ],
)
def test_an_address_of_another_machine_is_refused(host: str, says: str) -> None:
    with pytest.raises(ListenError, match=says):
        open_listeners(ServerConfig(host=host, port=0), backlog=10, environment={})


def test_a_port_in_use_is_named() -> None:
    [listener] = open_listeners(ServerConfig(port=0), backlog=10, environment={})
    port = listener.sock.getsockname()[1]
    with pytest.raises(ListenError, match=f"port {port}: another program uses that port"):
        open_listeners(ServerConfig(port=port), backlog=10, environment={})
    close_listeners([listener], remove_files=True)


def test_a_port_without_permission_is_explained() -> None:
    drop = "import os; os.setgid(65534); os.setuid(65534)\n" if os.geteuid() == 0 else ""
    code = (
        "from visitor_tracker.config import ServerConfig\n"
        "from visitor_tracker.net.listen import open_listeners\n"
        "'localhost'.encode('idna')\n"  # what is imported late may be unreadable for that user
        f"{drop}open_listeners(ServerConfig(port=1), backlog=1, environment={{}})\n"
    )
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode == 0) == (lowest <= 1), ran.stderr
    if lowest > 1:
        assert "below 1024" in ran.stderr


def unix(path: Path, mode: str = "0660") -> ServerConfig:
    return ServerConfig(host="", socket=str(path), socket_mode=mode)


def test_a_unix_socket_has_its_mode_and_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    [listener] = open_listeners(unix(path, "0606"), backlog=10, environment={})
    assert stat.S_IMODE(path.stat().st_mode) == 0o606
    assert listener.where == f"unix:{path}"
    close_listeners([listener], remove_files=True)
    assert not path.exists()


def test_the_socket_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    close_listeners(open_listeners(unix(path), backlog=10, environment={}), remove_files=False)
    assert path.exists()
    close_listeners(open_listeners(unix(path), backlog=10, environment={}), remove_files=True)


def test_the_socket_of_a_running_server_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listeners = open_listeners(unix(path), backlog=10, environment={})
    with pytest.raises(ListenError, match="another server answers"):
        open_listeners(unix(path), backlog=10, environment={})
    assert path.exists()
    close_listeners(listeners, remove_files=True)


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(ListenError, match="remove it"):
        open_listeners(unix(path), backlog=10, environment={})
    assert path.read_text() == "precious"


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"server\.socket"):
        open_listeners(unix(tmp_path / "none" / "s"), backlog=10, environment={})


ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:proxy"}
os.execv(sys.executable, [sys.executable, "-m", "tests.net.child", sys.argv[3]])
"""


def test_sockets_passed_by_systemd_are_used(tmp_path: Path) -> None:
    tcp = socket.create_server(("127.0.0.1", 0))
    path = str(tmp_path / "s")
    local = socket.socket(socket.AF_UNIX)
    local.bind(path)
    local.listen()
    passed = [sock.fileno() for sock in (tcp, local)]
    with subprocess.Popen(
        [sys.executable, "-c", ACTIVATE, *map(str, passed), json.dumps({"workers": 1})],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"},
        pass_fds=passed,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout is not None
        assert json.loads(server.stdout.readline())["where"] == [list(tcp.getsockname()), path]
        with socket.create_connection(tcp.getsockname(), 20) as sock:
            sock.sendall(get("/peer"))
            assert Reader(sock).answer().body == b"127.0.0.1 False False"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            sock.sendall(get("/peer"))
            assert Reader(sock).answer().body == b" True False"
        server.terminate()
        assert server.wait(20) == 0
    assert Path(path).exists()  # systemd's file, not ours
    tcp.close()
    local.close()


def test_sockets_for_another_process_are_not_taken() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    [listener] = open_listeners(ServerConfig(port=0), backlog=10, environment=environment)
    assert listener.where.startswith("http://127.0.0.1:")
    close_listeners([listener], remove_files=True)
