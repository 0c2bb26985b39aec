"""Which requests of a log are views of a page; all others have a reason, and are counted by it."""

from visitor_tracker.jobs.importing.line import LogLine

# What pages load, and what is no page though it has an address.
_FILES = frozenset(
    {
        "css", "js", "mjs", "cjs", "map", "wasm", "json", "jsonld", "webmanifest", "xml", "xsl", "rss", "atom",
        "txt", "ico", "cur", "png", "jpg", "jpeg", "jfif", "gif", "webp", "avif", "apng", "svg", "svgz", "bmp",
        "tif", "tiff", "heic", "heif", "woff", "woff2", "ttf", "otf", "eot", "mp3", "m4a", "aac", "ogg", "oga",
        "opus", "wav", "flac", "mp4", "m4v", "webm", "ogv", "mov", "avi", "mkv", "mpg", "mpeg", "m3u", "m3u8",
        "mpd", "ts", "vtt", "srt", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf",
        "csv", "tsv", "epub", "mobi", "zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "jar", "dmg",
        "iso", "img", "exe", "msi", "deb", "rpm", "apk", "appimage", "bin", "dat", "sig", "asc", "sha256", "md5",
        "torrent", "ics", "vcf", "swf",
    }
)  # fmt: skip
_TRACKERS = frozenset({"/gc/count", "/matomo.php", "/piwik.php", "/badge.svg", "/badge.json"})
_COUNTERS = frozenset({"/update", "/count", "/verify", "/pixel.gif"})  # names that a page may have too
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_METHODS = frozenset({"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"})


def why_no_view(line: LogLine, *, every: bool) -> str:
    """Return why a request is no view of a page, "" for one that is; `every`: whatever was answered is one."""
    target = line.target
    if line.method != "GET":
        return f"method {line.method}" if line.method in _METHODS else "no request"
    if not (200 <= line.status < 300 or line.status == 304):
        return f"status {line.status}"
    if not target.startswith("/"):
        return "no path"  # http://other.example/: somebody looks for an open proxy
    return "" if every else _why_no_page(target, line.content_type)


def _why_no_page(target: str, content_type: str) -> str:
    path, _, query = target.partition("?")
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    if dot >= 0 and name[dot + 1 :].lower() in _FILES:
        return "file"
    if path.startswith(("/.well-known/", "/api/")) or path in _PROBES:
        return "for programs"
    if path in _TRACKERS or (path in _COUNTERS and "url=" in query):
        return "the tracker's own"
    if content_type and not content_type.lower().startswith(_PAGE_TYPES):
        return "file"
    return ""
