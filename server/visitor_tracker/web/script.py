"""/script.js: the tracker script with a site's settings written into it, so that a page asks for one file only."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256

import msgspec

from visitor_tracker.config import Config
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.sites import Snapshot
from visitor_tracker.web.assets import ANY_ORIGIN, Asset, asset_of, hashed_name
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfPolicy
from visitor_tracker.web.typed import question_of

FILE = "script.js"
_PLACE = b'{files:{more:"more.js"}}/*settings*/'  # what client/build.js leaves for the settings
_CACHE = "public, max-age=3600"  # so that a changed setting is everywhere an hour later
_SITES_MOST = 64  # of which the finished script is remembered


class ScriptRoutes:
    """`/script.js` and `/script.js?site=NAME`; without a name with what holds for the site `default`."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        snapshot: Callable[[], Snapshot],
        config: Config,
    ) -> None:
        self._source = files.get(FILE)
        self._names = {
            name.removesuffix(".js"): hashed_name(name, sha256(body).hexdigest())
            for name, body in files.items()
            if name.endswith(".js")
        }
        self._snapshot = snapshot
        self._tracker = config.tracker
        self._replay = config.replay
        self._located = bool(config.geo.database)
        self._made = lru_cache(_SITES_MOST)(self._make)  # by settings, so that no stranger fills it

    def routes(self) -> list[Route]:
        if self._source is None:  # the client is not built
            return []
        summary = "the tracker script for a site's pages: ?site="
        return [Route("GET", "/script.js", self._answer, summary, query=OfPolicy, media="text/javascript")]

    def settings_of(self, name: str) -> bytes:
        """Return what is written into the script for a site, as JSON; for an unknown name as for `default`."""
        snapshot = self._snapshot()
        site = snapshot.by_name.get(name) or snapshot.by_id[DEFAULT_SITE]
        policy = snapshot.policy_of(site.id)
        modules = snapshot.modules_of(site.id)
        said: dict[str, object] = {"files": {name: self._names[name] for name in ("more", *modules)}}
        if name and name in snapshot.by_name:
            said["site"] = name
        if modules:
            said["modules"] = modules
        if policy.visitor == "client":
            said["client"] = 1
        if policy.opt_out != "ignore":
            said["quiet"] = 2 if policy.opt_out == "drop" else 1
        if self._located:
            said["located"] = 1  # so that browsers need not look up their time zone, which is slow
        if not self._tracker.storage:
            said["memory"] = 1
        if "replay" in modules:
            replay = self._replay
            said["replay"] = {"sample": replay.sample, "text": replay.text, "minutes": replay.minutes}
        return msgspec.json.encode(said)

    def _answer(self, request: Request) -> Answer:
        name = question_of(request, OfPolicy).site
        return self._made(self.settings_of(name)).answer(request, _CACHE, ANY_ORIGIN)

    def _make(self, settings: bytes) -> Asset:
        return asset_of(FILE, (self._source or b"").replace(_PLACE, settings, 1))
