"""A node that sends a report and is killed: before the mail server has it, or right after.

reporting_child.py URL PORT before|after FOLDER
"""

import os
import signal
import sys
from pathlib import Path

from tests.jobs.test_reporting import Office
from tests.outgoing.mail_server import MailServer
from visitor_tracker.outgoing.mail import Mail, Mailer
from visitor_tracker.store import open_store


def main(store_url: str, port: str, place: str, folder: str) -> None:
    send = Mailer.send

    def doomed_send(self: Mailer, mail: Mail) -> str:
        if place == "after":
            send(self, mail)
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    Mailer.send = doomed_send  # type: ignore[method-assign]
    server = MailServer()
    server.port = int(port)
    Office(open_store(store_url), server, Path(folder)).step("2026-03-25T02:00")


if __name__ == "__main__":
    main(*sys.argv[1:])
