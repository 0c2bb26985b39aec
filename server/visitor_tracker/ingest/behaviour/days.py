"""What one visitor did on one day, as far as it is judged."""

import msgspec

from visitor_tracker.event import Agent


class Step(msgspec.Struct, frozen=True, gc=False):
    """One event. `page` is host and path; `by_link`: the page that led to it was one of the site."""

    ts: int  # epoch ms
    page: str
    is_view: bool = True
    by_link: bool = False
    is_action: bool = False  # somebody clicked, sent, downloaded
    engaged_ms: int = 0
    scroll: int = 0  # percent
    signals: int = 0  # of event.Signal, as they were when the event came
    has_screen: bool = False  # the script sent it: it alone knows the screen
    came_from: bool = False  # a search, a link elsewhere, a campaign brought it


class VisitorDay(msgspec.Struct, frozen=True, gc=False):
    """Steps in the order of time, and with what they were made; screens and viewports such as 1920x1080."""

    steps: tuple[Step, ...]
    agent: Agent = Agent()
    organisation: str = ""
    screens: frozenset[str] = frozenset()
    viewports: frozenset[str] = frozenset()
