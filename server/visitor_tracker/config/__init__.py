"""Settings: one frozen dataclass per section of config.yaml, and how they are read.

`sections` declares every setting once; `reading` fills them from file, environment and command line;
`contradictions` finds what no single setting shows.
"""

from visitor_tracker.config.reading import ENVIRONMENT_PREFIX, SettingRow, describe, load, reloaded
from visitor_tracker.config.sections import (
    AlertsConfig,
    Config,
    CorsConfig,
    CounterConfig,
    GeoConfig,
    HttpConfig,
    IdentityConfig,
    JournalConfig,
    LogConfig,
    MailConfig,
    RateLimitConfig,
    ReplayConfig,
    RetentionConfig,
    RobotsConfig,
    ServerConfig,
    SitesConfig,
    SiteStore,
    StoreConfig,
    TlsConfig,
    TrackerConfig,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "AlertsConfig",
    "Config",
    "CorsConfig",
    "CounterConfig",
    "GeoConfig",
    "HttpConfig",
    "IdentityConfig",
    "JournalConfig",
    "LogConfig",
    "MailConfig",
    "RateLimitConfig",
    "ReplayConfig",
    "RetentionConfig",
    "RobotsConfig",
    "ServerConfig",
    "SettingRow",
    "SiteStore",
    "SitesConfig",
    "StoreConfig",
    "TlsConfig",
    "TrackerConfig",
    "describe",
    "load",
    "reloaded",
]
