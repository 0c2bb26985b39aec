"""What to put into a site's pages, by what the pages are made with; docs/tracker.md shows the same texts."""

from collections.abc import Callable
from html import escape
from typing import Literal, get_args
from urllib.parse import urlsplit

from visitor_tracker.config import Config

# What pages and their visitors need; the rest is for who runs the server.
_PATHS = r"script\.js|e|client/.*|privacy(/.*)?|what-we-send|api/v1/(events|visits|replay|heat|my-data(/token)?)"

Kind = Literal["html", "react", "next", "vue", "wordpress", "nginx", "caddy"]

_HTML = """\
<script defer src="{src}"></script>
"""
_REACT = """\
// src/useVisitorTracker.js; call useVisitorTracker() once, in the component that holds all pages
import {{useEffect}} from 'react';

export const useVisitorTracker = () =>
  useEffect(() => {{
    if (document.getElementById('visitor-tracker')) return;
    const script = document.createElement('script');
    script.id = 'visitor-tracker';
    script.src = '{src}';
    document.head.append(script);
  }}, []);
"""
_NEXT = """\
// app/layout.jsx
import Script from 'next/script';

export default function RootLayout({{children}}) {{
  return (
    <html lang="en">
      <body>
        {{children}}
        <Script src="{src}" strategy="afterInteractive" />
      </body>
    </html>
  );
}}
"""
_VUE = """\
// src/main.js, before createApp(App).mount('#app')
const script = document.createElement('script');
script.src = '{src}';
document.head.append(script);
"""
_WORDPRESS = """\
// functions.php of the (child) theme, or a plugin for code snippets
add_action('wp_enqueue_scripts', function () {{
    wp_enqueue_script('visitor-tracker', '{src}', [], null, ['strategy' => 'defer', 'in_footer' => false]);
}});
"""
_NGINX = """\
# in the server block of the web site; its pages then load /stats/script.js{query}
location ~ ^/stats/({paths})$ {{
    rewrite ^/stats(/.*)$ $1 break;
    proxy_pass {base};
    proxy_ssl_server_name on;
    proxy_set_header Host {host};
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    client_max_body_size 1m;
}}
"""
_CADDY = """\
# in the block of the web site; its pages then load /stats/script.js{query}
@stats path_regexp ^/stats/({paths})$
handle @stats {{
    uri strip_prefix /stats
    reverse_proxy {base} {{
        header_up Host {host}
    }}
}}
"""

_TEXTS: dict[Kind, str] = {
    "html": _HTML,
    "react": _REACT,
    "next": _NEXT,
    "vue": _VUE,
    "wordpress": _WORDPRESS,
    "nginx": _NGINX,
    "caddy": _CADDY,
}
KINDS: tuple[Kind, ...] = get_args(Kind)
PROXIES = frozenset({"nginx", "caddy"})


def base_of(config: Config) -> str:
    """Return the address of the server as pages and programs should use it; a guess without server.public_url."""
    scheme = "https" if config.tls.certificate else "http"
    return config.server.public_url.rstrip("/") or f"{scheme}://127.0.0.1:{config.server.port or 8000}"


def snippet(kind: Kind, base: str, site: str) -> str:
    """Return the lines for pages of a kind; `base` is the server's address without a slash at its end."""
    query = "" if site == "default" else f"?site={site}"
    quoted: Callable[[str], str] = escape if kind == "html" else str
    return _TEXTS[kind].format(
        src=quoted(f"{base}/script.js{query}"), base=base, host=urlsplit(base).netloc, query=query, paths=_PATHS
    )
