"""Bytes received and not yet understood; whoever reads takes whole lines or counted bytes from the front."""

from visitor_tracker.http.grammar import bad_request


class Buffer:
    """A fed bytes object is kept as it is; a bytearray is made only when a piece joins an unread rest.

    `data[at:]` is what is held. Fields are public because the parser's fast path slices them itself.
    """

    __slots__ = ("_searched", "at", "data")

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""
        self.at = 0
        self._searched = 0  # no line ends between `at` and this offset, so never look there twice

    def __len__(self) -> int:
        return len(self.data) - self.at

    def feed(self, piece: bytes) -> None:
        """Append `piece`; the time is proportional to it, however many pieces came before."""
        if self.at == len(self.data):
            self.data = piece
            self.at = self._searched = 0
        else:
            self.trim()
            if isinstance(self.data, bytes):
                self.data = bytearray(self.data)
            self.data += piece

    def skip(self, at: int) -> None:
        """Let the next byte read be the one at offset `at` of `data`."""
        if at == len(self.data):
            self.data = b""
            self.at = self._searched = 0
        else:
            self.at = at

    def trim(self) -> None:
        """Let go of the bytes already read, so that a short rest does not keep a long piece alive."""
        taken, self.at = self.at, 0
        self._searched = max(0, self._searched - taken)
        if taken == len(self.data):
            self.data = b""
        elif isinstance(self.data, bytearray):
            del self.data[:taken]
        elif taken:
            self.data = self.data[taken:]

    def line(self, limit: int) -> str | None:
        """Take the next line without its CRLF; None until it is complete.

        A line longer than `limit` is not taken: its first limit + 1 characters are returned, as soon as
        they are there, whatever follows them. Raises HttpError where a line ends in anything but CRLF.
        """
        data, at = self.data, self.at
        newline = data.find(b"\n", max(self._searched, at))
        end = newline if newline >= 0 else len(data)
        ended_by_cr = end > at and data[end - 1] == 13
        if end - ended_by_cr - at > limit:
            return data[at : at + limit + 1].decode("latin-1")
        if newline < 0:
            self._searched = end
            return None
        line = data[at : end - ended_by_cr].decode("latin-1")
        if not ended_by_cr or "\r" in line:
            raise bad_request(
                "bad_line_ending", "a line does not end in CRLF", "end every line with CR LF, nothing else"
            )
        self.at = newline + 1
        return line

    def move(self, body: bytearray, count: int) -> int:
        """Append at most `count` bytes to `body` and return how many there were."""
        piece = self.data[self.at : self.at + count]
        body += piece
        self.at += len(piece)
        return len(piece)
