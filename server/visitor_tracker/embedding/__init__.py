"""A tracker inside another program: no socket, no server, the store of its own or a server's.

    program: send ──▶ Beside ──(a pipe)──▶ child process: Inside ▸ pipeline ▸ journal (synced) ──▶ Delivered
                                                              drainer, folder (of one of the children) ──▶ reports

The child does what costs time, so that the program's threads have the interpreter for themselves; it ends when the
program does. Several processes of one program, each with a child, and a `visitor-tracker serve`, may share a data
folder: who has its lock does the background work, the others only write to the journal, and one of them takes over
when that process has ended.
"""

from visitor_tracker.embedding.tracker import EmbeddedTracker, default_tracker, embedded

__all__ = ["EmbeddedTracker", "default_tracker", "embedded"]
