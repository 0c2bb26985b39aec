"""How long a site keeps what tells of single visitors: its own days, else those of the settings."""

import msgspec

from visitor_tracker.config import Config
from visitor_tracker.sites import Retention, Site


class Kept(msgspec.Struct, frozen=True):
    """Days; 0: for ever."""

    events_days: int
    replay_days: int
    ip_records_days: int
    profiles_days: int


def kept_by(site: Site | None, config: Config) -> Kept:
    """Return what holds for a site; for one that is on no list (None) what the settings say."""
    own = (site.retention if site else None) or Retention()
    settings = config.retention
    return Kept(
        _first(own.events_days, settings.events_days),
        _first(own.replay_days, config.replay.keep_days),
        _first(own.ip_records_days, settings.ip_records_days),
        _first(own.profiles_days, settings.profiles_days),
    )


def _first(own: int | None, of_settings: int) -> int:
    return of_settings if own is None else own
