"""What people know their log-ins by: the few browsers and systems that nearly everybody has.

Visits are read by ua-parser, which takes megabytes in every thread that asks it; here a name for people is enough.
"""

import re

_MOST = 512  # characters, as of visits

# The first that fits is meant: most browsers name others as well.
_BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/(\d{1,4})")),
    ("Opera", re.compile(r"\bOPR/(\d{1,4})")),
    ("Vivaldi", re.compile(r"\bVivaldi/(\d{1,4})")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d{1,4})")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d{1,4})")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|HeadlessChrome)/(\d{1,4})")),
    ("Safari", re.compile(r"\bVersion/(\d{1,4})[^ ]* .*Safari/")),
)
_SYSTEMS = (
    ("Windows", "Windows NT"),
    ("Android", "Android"),
    ("iPad", "iPad"),
    ("iPhone", "iPhone"),
    ("macOS", "Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)
_PROGRAM = re.compile(r"[A-Za-z0-9][\w.-]{0,39}(?:/[\w.-]{1,20})?").match


def device_name(user_agent: str) -> str:
    """Return a user agent as people read it, such as "Firefox 140 (Linux)"; "" where it tells nothing."""
    user_agent = user_agent[:_MOST]  # the patterns take time as the square of its length
    browser = next(
        (f"{name} {found[1]}" for name, pattern in _BROWSERS if (found := pattern.search(user_agent)) is not None), ""
    )
    system = next((name for name, mark in _SYSTEMS if mark in user_agent), "")
    if browser:
        return f"{browser} ({system})" if system else browser
    program = _PROGRAM(user_agent)
    return program[0].replace("/", " ") if program and not user_agent.startswith("Mozilla/") else system
