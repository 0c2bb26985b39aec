"""Robots: what a request, a page, a referrer and a pace say, and which of it makes one.

Robots are kept apart with the reasons, not thrown away: the signals are stored with every event, and `judge` can be
asked again about the past when its rules have changed.
"""

import threading
from collections.abc import Mapping

from visitor_tracker.event import ROBOT, SIGNAL_BITS, SIGNALS, Agent, Signal
from visitor_tracker.ingest.agent import Reading

# Plain numbers: operations of IntFlag cost a hundred times more, and these run for every event.
_HEADLESS = int(Signal.HEADLESS)
_MISSING_HEADERS = int(Signal.MISSING_HEADERS)
_RATE = int(Signal.RATE)
_PROBE_PATH = int(Signal.PROBE_PATH)
_REFERRER_SPAM = int(Signal.REFERRER_SPAM)
_BEHAVIOUR = int(Signal.BEHAVIOUR)
_NAMES = tuple((int(signal), (signal.name or "").lower()) for signal in Signal)


def judge(signals: int) -> bool:
    """Say whether these signals make a robot: any one does, but for missing headers, which a proxy may have taken."""
    return signals & ROBOT != 0


def doubtful(signals: int) -> bool:
    """Say whether there are signals, but not enough of them for a robot."""
    return signals & SIGNALS != 0 and signals & ROBOT == 0


def judged_by_days(signals: int, *, is_robot: bool, is_cleared: bool) -> int:
    """Return the signals of an event by what is known of its visitor's whole day, whatever was known before.

    `is_robot`: what the visitor did speaks for a robot, or a person says so. `is_cleared`: a person says that the
    visitor is human, so that no signal counts; they are kept, for the person may think again.
    """
    sent = (signals & SIGNALS | signals >> SIGNAL_BITS) & ~_BEHAVIOUR
    if is_cleared:
        return sent << SIGNAL_BITS
    return sent | _BEHAVIOUR if is_robot else sent


def reasons(signals: int) -> list[str]:
    """Return the names of the signals as users see them."""
    return [name for signal, name in _NAMES if signals & signal]


# Major versions that send Sec-Fetch-Mode with every request to an https address.
_SENDS_FETCH_MODE = {"Chrome": 80, "Edge": 80, "Firefox": 90, "Opera": 67, "Samsung Internet": 15, "Safari": 17}
_BROWSERS = frozenset({*_SENDS_FETCH_MODE, "Internet Explorer", "Android WebView", "iOS WebView"})
_PASSED_ON = ("via", "x-varnish", "x-amz-cf-id")  # fields of proxies that are often set up to leave others out


def request_signals(headers: Mapping[str, str], reading: Reading, user_agent: str) -> int:
    """Return what the header fields (names in lower case) say against a request that a browser sent by itself.

    HEADLESS: a client hint names HeadlessChrome. MISSING_HEADERS: a well-known browser, with no proxy that says it
    passed the request on, sent no Accept-Language, which all of them send with fetch, sendBeacon and images alike,
    and lacks one more thing they always send: Accept, Accept-Encoding, Origin or Referer with a body, or, from
    https pages, Sec-Fetch-Mode where its version knows it. One of them may have been taken out by a proxy, a virus
    scanner or a privacy tool; two are rare enough to raise a doubt.
    """
    hints = headers.get("sec-ch-ua")
    signals = _HEADLESS if hints is not None and "headless" in hints.lower() else 0
    if "accept-language" in headers or not user_agent:
        return signals
    agent = reading.agent
    if agent.browser not in _BROWSERS or agent.device == "bot" or any(map(headers.__contains__, _PASSED_ON)):
        return signals
    if "accept" not in headers or "accept-encoding" not in headers or _lacks_page(headers, agent):
        signals |= _MISSING_HEADERS
    return signals


def _lacks_page(headers: Mapping[str, str], agent: Agent) -> bool:
    """Say whether a request does not tell where it comes from as its browser would."""
    page = headers.get("origin") or headers.get("referer")
    if page is None:
        return headers.get("content-length", "0") != "0"
    version = agent.browser_version
    if not page.startswith("https:") or not version.isdecimal():
        return False
    if agent.os == "iOS" and agent.browser != "Safari":  # WebKit under another name and number
        return False
    since = _SENDS_FETCH_MODE.get(agent.browser)
    return since is not None and int(version) >= since and "sec-fetch-mode" not in headers


# Pages that are asked for because of their holes, and that no visitor sees: /cgi-bin/forum.pl is a forum, and
# /telescope may be a shop's. Files count in the first two folders only, since further down a site may show source code.
_PROBED_FILES = frozenset(
    {
        "wp-login.php", "wp-config.php", "wp-config.php.bak", "wp-config.bak", "wp-config.txt", "xmlrpc.php",
        "wlwmanifest.xml", "eval-stdin.php", "phpinfo.php", "adminer.php", "phpmyadmin.php", "c99.php", "r57.php",
        "wso.php", "alfa.php", "web.config", "id_rsa", ".git", ".svn", ".hg", ".aws", ".ssh", ".docker", ".kube",
        ".htaccess", ".htpasswd", ".ds_store", ".npmrc", ".bash_history", "docker-compose.yml",
    }
)  # fmt: skip
_PROBED_FIRST = frozenset(
    {
        "phpmyadmin", "phpmyadmin2", "myadmin", "sqladmin", "mysqladmin", "hnap1", "boaform", "goform", "_ignition",
        "jmx-console", "setup.cgi",
    }
)  # fmt: skip
_PROBED_PAIRS = frozenset(
    {
        ("cgi-bin", "luci"), ("cgi-bin", "test-cgi"), ("cgi-bin", "printenv"), ("cgi-bin", "php"), ("cgi-bin", "php5"),
        ("cgi-bin", "php-cgi"), ("cgi-bin", "bash"), ("cgi-bin", "sh"), ("cgi-bin", "nobody"),
        ("cgi-bin", "config.exp"), ("actuator", "env"), ("actuator", "heapdump"), ("actuator", "gateway"),
        ("manager", "html"), ("wp-admin", "install.php"), ("wp-admin", "setup-config.php"), ("owa", "auth"),
        ("ecp", "current"), ("vendor", "phpunit"), ("etc", "passwd"), ("api", "jsonws"),
    }
)  # fmt: skip
_CLIMBS = frozenset({"..", "%2e%2e", ".%2e", "%2e.", "..;"})  # browsers resolve these before they ask
_CLIMBS_HIDDEN = ("..%2f", "..%5c", "%2e%2e%2f", "..\\", "%00")


def path_signals(path: str) -> int:
    """Return PROBE_PATH for a page that only those ask for who look for holes; linear in the path."""
    lower = path.lower().partition("?")[0]
    parts = lower.split("/")[1:]
    near = parts[:2]
    if not _PROBED_FILES.isdisjoint(near) or not _PROBED_FIRST.isdisjoint(near[:1]) or tuple(near) in _PROBED_PAIRS:
        return _PROBE_PATH
    if any(part == ".env" or part.startswith((".env.", ".env~")) for part in near):
        return _PROBE_PATH
    if not _CLIMBS.isdisjoint(parts) or any(map(lower.__contains__, _CLIMBS_HIDDEN)):
        return _PROBE_PATH
    return 0


# Sites that send visits, or just pretend to, so that owners look at them.
_SPAM = frozenset(
    {
        "4webmasters.org", "7makemoneyonline.com", "adviceforum.info", "anticrawler.org", "best-seo-offer.com",
        "best-seo-solution.com", "bestwebsitesawards.com", "blackhatworth.com", "buttons-for-website.com",
        "buttons-for-your-website.com", "buy-cheap-online.info", "cenokos.ru", "cenoval.ru", "cyber-monday.ga",
        "darodar.com", "descargar-musica-gratis.net", "dominateforex.ml", "doska-vsem.ru", "e-buyeasy.com", "econom.co",
        "event-tracking.com", "floating-share-buttons.com", "free-floating-buttons.com", "free-share-buttons.com",
        "free-social-buttons.com", "free-traffic.xyz", "get-free-social-traffic.com", "get-free-traffic-now.com",
        "googlsucks.com", "guardlink.org", "howtostopreferralspam.eu", "hulfingtonpost.com", "humanorightswatch.org",
        "ilovevitaly.co", "ilovevitaly.com", "ilovevitaly.org", "ilovevitaly.ru", "iskalko.ru", "justprofit.xyz",
        "kambasoft.com", "keywords-monitoring-your-success.com", "lombia.co", "luxup.ru", "makemoneyonline.com",
        "monetizationking.net", "net-profits.xyz", "o-o-6-o-o.com", "o-o-8-o-o.com", "offers.bycontext.com",
        "pornhub-forum.ga", "priceg.com", "qualitymarketzone.com", "rank-checker.online", "ranking2017.ga",
        "ranksonic.info", "ranksonic.org", "sanjosestartups.com", "savetubevideo.com", "semalt.com", "semaltmedia.com",
        "seo-platform.com", "seoanalyses.com", "share-buttons.xyz", "sharebutton.net", "sharebutton.to",
        "simple-share-buttons.com", "sitevaluation.org", "slow-website.xyz", "smailik.org", "social-buttons.com",
        "srecorder.com", "success-seo.com", "superiends.org", "theguardlan.com", "torture.ml", "traffic-cash.xyz",
        "traffic2money.com", "trafficmonetize.org", "trafficmonetizer.org", "uptimebot.net",
        "videos-for-your-business.com", "vodkoved.ru", "webmaster-traffic.com", "webmonetizer.net",
        "website-analyzer.info", "websites-reviews.com", "xn--lifehacer-1rb.com", "xn--oogle-wmc.com",
        "xtrafficplus.com", "yourserverisdown.com",
    }
)  # fmt: skip
_HOST_MOST = 253  # characters


def referrer_signals(host: str) -> int:
    """Return REFERRER_SPAM for a host (a port may follow) known for it, and for all below it."""
    name = host[:_HOST_MOST].lower().partition(":")[0].rstrip(".")
    while name:
        if name in _SPAM:
            return _REFERRER_SPAM
        name = name.partition(".")[2]
    return 0


_WATCHED_MOST = 65_536  # visitors of one minute; more are not watched
_MINUTE_MS = 60_000


class RateWatch:
    """Counts what visitors do in a minute; safe in any thread, where two at once may lose a count."""

    def __init__(self, limit: int = 120) -> None:
        """Take more than `limit` events within a minute for a robot's."""
        self._limit = limit
        self._minute = 0
        self._from = self._until = 0  # epoch ms of that minute
        self._counts: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def signal(self, visitor: bytes, now_ms: int) -> int:
        """Count one event; return RATE when the visitor's last minute had too many. About 0.3 µs.

        The minute before counts with the share of it that is less than a minute ago.
        """
        if not visitor:
            return 0
        if not self._from <= now_ms < self._until:
            self._turn(now_ms // _MINUTE_MS)
        counts = self._counts
        count = counts.get(visitor, 0) + 1
        if count > 1 or len(counts) < _WATCHED_MOST:
            counts[visitor] = count
        before = self._before.get(visitor)
        if before is not None:
            left_ms = _MINUTE_MS - now_ms % _MINUTE_MS
            return _RATE if count * _MINUTE_MS + before * left_ms > self._limit * _MINUTE_MS else 0
        return _RATE if count > self._limit else 0

    def _turn(self, minute: int) -> None:
        with self._lock:
            if minute in (self._minute, self._minute - 1):  # another thread was quicker
                return
            self._before = self._counts if minute == self._minute + 1 else {}
            self._minute, self._counts = minute, {}
            self._from, self._until = minute * _MINUTE_MS, (minute + 1) * _MINUTE_MS
