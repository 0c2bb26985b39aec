"""Tell systemd how the service is doing: the datagrams of sd_notify(3)."""

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends to $NOTIFY_SOCKET; does nothing where there is none. A lost message is never an error."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.watchdog_seconds = _watchdog_seconds(environment)

    def ready(self) -> None:
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that a reload began; `ready` ends it. The time is what Type=notify-reload asks for."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sock:
                sock.sendto(message.encode(), self._address)
        except OSError:
            return  # the manager is away or its queue is full; serving goes on


def _address(text: str) -> str | bytes:
    if text.startswith("@"):  # the abstract namespace
        return b"\0" + os.fsencode(text[1:])
    return text if text.startswith("/") else ""


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return the longest time systemd waits between two signs of life; None: it does not watch this process."""
    text = environment.get("WATCHDOG_USEC", "")
    watched = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not text.isdigit() or int(text) == 0 or watched != str(os.getpid()):
        return None
    return int(text) / 1_000_000
