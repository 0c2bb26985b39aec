"""Open keep-alive connections, one answered request on each, and hold them until standard input ends.

    idle.py PORT NUMBER

Clients are spread over 127.0.0.0/8 so that neither ports nor a cap per address run out. Prints READY when all stand.
"""

import re
import resource
import socket
import sys

PER_ADDRESS = 64
REQUEST = (
    "GET /update?url=https%3A%2F%2Fexample.com%2Fblog%2Fpost-1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: */*\r\n\r\n"
)


def main() -> None:
    port, number = int(sys.argv[1]), int(sys.argv[2])
    needed = number + 64
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(most, needed)))
    request = REQUEST.format(port=port).encode()
    held = []
    for index in range(number):
        block, last = divmod(index // PER_ADDRESS, 250)
        client = socket.create_connection(("127.0.0.1", port), 10, (f"127.1.{block}.{last + 1}", 0))
        client.sendall(request)
        if not _answer(client).startswith(b"HTTP/1.1 2"):
            sys.exit(f"connection {index + 1} was not answered with a 2xx")
        held.append(client)
    print("READY", flush=True)
    sys.stdin.read()
    for client in held:  # a connection that the server gave up was not held
        client.setblocking(False)
        try:
            client.recv(1)
        except BlockingIOError:
            continue
        sys.exit("the server closed an idle connection")


def _answer(client: socket.socket) -> bytes:
    """Read one answer, which may come in several pieces, to its end."""
    received = b""
    while chunk := client.recv(4096):
        received += chunk
        head, ended, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"^content-length: (\d+)", head, re.IGNORECASE | re.MULTILINE)
        if ended and length and len(body) >= int(length[1]):
            break
    return received


if __name__ == "__main__":
    main()
