"""A report as HTML: as a mail, which readers of all kinds show, and as a file that needs nothing else.

Mail readers know tables and styles on elements; where they know `prefers-color-scheme` the classes make it dark. All
that was sent by visitors, or named by people, goes through `escape`.
"""

from collections.abc import Iterable, Sequence
from html import escape

from visitor_tracker.reports.digest import png
from visitor_tracker.reports.digest.charts import svg_of
from visitor_tracker.reports.digest.content import Figure, Line
from visitor_tracker.reports.digest.said import Links, Said, clean

CHART = "chart"  # the name of the picture in a mail
_BIG = 3  # figures that stand at the top

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_INK, _DIM, _LINE = "color:#1a2233", "color:#5c667a", "border-bottom:1px solid #e4e8f0"
_WRAP = "word-break:break-word;overflow-wrap:anywhere"
_CARD = f"background:#ffffff;border-radius:12px;padding:20px 24px;{_WRAP}"
_TONES = {"more": ("up", "color:#12713a"), "less": ("down", "color:#b3420d")}

_STYLE = """\
:root{color-scheme:light dark}
.bar rect{fill:#4f7cff}.axis{stroke:#8b94a6;fill:none}
@media (max-width:480px){.card{padding:16px!important}.big{font-size:22px!important}}
@media (prefers-color-scheme:dark){
.page{background:#10141d!important}.card{background:#1a2030!important}
.ink{color:#e8ebf2!important}.dim{color:#a3adc0!important}.line{border-color:#2d3548!important}
.link{color:#93b4ff!important}.up{color:#5fd28d!important}.down{color:#ff9d6e!important}
.button{background:#93b4ff!important;color:#10141d!important}
}
@media print{
.page{background:#fff!important}.card{padding:8px 0!important;break-inside:avoid}.button{display:none!important}
}
"""


def mail_of(said: Said, links: Links) -> tuple[str, bytes]:
    """Return the HTML of a mail, and the PNG that it shows as `cid:chart`."""
    picture = (
        f'<img src="cid:{CHART}" width="552" alt="{escape(said.chart)}"'
        f' style="display:block;width:100%;height:auto;border:0;{_DIM}" class="dim">'
    )
    return _page(said, links, picture), png.bars([bar.visits for bar in said.digest.bars])


def page_of(said: Said, links: Links) -> str:
    """Return the HTML of a file, or of a page, that shows the report by itself."""
    return _page(said, links, svg_of(said))


def _page(said: Said, links: Links, chart: str) -> str:
    digest, words = said.digest, said.formats.words
    nobody = f'<p class="ink" style="margin:0;{_INK}">{escape(words.nobody)}</p>'
    cards = [nobody] if digest.is_empty else [*_cards(said, links, chart)]
    body = "".join(_card(card) for card in [_head(said), *cards])
    return (
        f'<!doctype html><html lang="{said.formats.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(said.title)}</title><style>{_STYLE}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#f2f4f9;{_FONT};font-size:15px;line-height:1.45">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td align="center" style="padding:16px 8px">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px">'
        f"{body}{_foot(said, links)}</table></td></tr></table></body></html>"
    )


def _card(content: str) -> str:
    gap = '<tr><td style="height:12px;line-height:12px">&nbsp;</td></tr>'
    return f'<tr><td class="card" style="{_CARD}">{content}</td></tr>{gap}'


def _head(said: Said) -> str:
    return (
        f'<h1 class="ink" style="margin:0;font-size:21px;line-height:1.3;{_INK}">{escape(said.title)}</h1>'
        f'<p class="ink" style="margin:4px 0 0;{_INK}">{escape(said.days)}</p>'
        f'<p class="dim" style="margin:2px 0 0;font-size:13px;{_DIM}">{escape(said.compared)}</p>'
    )


def _cards(said: Said, links: Links, chart: str) -> Iterable[str]:
    digest, words = said.digest, said.formats.words
    yield _figures(said) + _chart(said, chart)
    if digest.happenings:
        yield _happenings(said, links)
    for listing in digest.lists:
        if listing.rows:
            title, measure = said.list_title(listing)
            yield _list(
                title, measure, [said.line(row, is_country=listing.name == "countries") for row in listing.rows]
            )
    if digest.goals:
        yield _goals(said)
    for title, lines in ((words.risers, digest.risers), (words.fallers, digest.fallers)):
        if lines:
            yield _moved(said, title, lines)


def _figures(said: Said) -> str:
    big = "".join(_big(said, figure) for figure in said.digest.figures[:_BIG])
    small = "".join(_small(said, figure) for figure in said.digest.figures[_BIG:])
    return (
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>{big}</tr></table>'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:12px 0 0">'
        f"{small}</table>"
    )


def _big(said: Said, figure: Figure) -> str:
    name, value, change, usual = said.figure(figure)
    tone, colour = _TONES.get(figure.usual, ("dim", _DIM))
    return (
        f'<td width="33%" valign="top"><div class="dim" style="font-size:13px;{_DIM}">{escape(name)}</div>'
        f'<div class="ink big" style="font-size:27px;font-weight:600;line-height:1.25;{_INK}">{escape(value)}</div>'
        f'<div class="{tone}" style="font-size:13px;{colour}">{escape(change)}'
        f"{'<br>' if change and usual else ''}{escape(usual)}</div></td>"
    )


def _small(said: Said, figure: Figure) -> str:
    name, value, change, _ = said.figure(figure)
    return (
        f'<tr><td class="dim" style="padding:3px 0;font-size:13px;{_DIM}">{escape(name)}</td>'
        f'<td align="right" class="ink" style="padding:3px 0;{_INK}">{escape(value)}</td>'
        f'<td align="right" width="84" class="dim" style="padding:3px 0;font-size:13px;{_DIM}">{escape(change)}'
        "</td></tr>"
    )


def _chart(said: Said, chart: str) -> str:
    bars = said.digest.bars
    first, last = escape(said.bar(bars[0])), escape(said.bar(bars[-1]))
    return (
        f'<div style="margin:16px 0 0">{chart}</div>'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td class="dim" style="font-size:12px;{_DIM}">{first}</td>'
        f'<td class="dim" align="right" style="font-size:12px;{_DIM}">{last}</td></tr></table>'
    )


def _title(text: str) -> str:
    return f'<h2 class="ink" style="margin:0 0 6px;font-size:16px;{_INK}">{escape(text)}</h2>'


def _list(title: str, measure: str, rows: Sequence[tuple[str, str, str]]) -> str:
    lines = "".join(
        f'<tr><td class="ink line" style="padding:5px 8px 5px 0;{_LINE};{_INK};{_WRAP}">{escape(value)}</td>'
        f'<td class="ink line" align="right" width="72" style="padding:5px 0;{_LINE};{_INK};white-space:nowrap">'
        f"{escape(number)}</td>"
        f'<td class="dim line" align="right" width="72" style="padding:5px 0;{_LINE};{_DIM};font-size:13px;'
        f'white-space:nowrap">{escape(more)}</td></tr>'
        for value, number, more in rows
    )
    return (
        f'<table width="100%" cellpadding="0" cellspacing="0" border="0"><tr><th align="left" class="ink"'
        f' style="padding:0 0 4px;font-size:16px;{_INK}">{escape(title)}</th>'
        f'<th align="right" class="dim" style="font-size:12px;font-weight:400;{_DIM}">{escape(measure)}</th>'
        f'<th width="72"></th></tr>{lines}</table>'
    )


def _goals(said: Said) -> str:
    words, formats = said.formats.words, said.formats
    rows = [
        (clean(goal.name), formats.number(goal.conversions), "" if goal.rate is None else formats.percent(goal.rate))
        for goal in said.digest.goals
    ]
    return _list(words.goals, words.conversions, rows)


def _moved(said: Said, title: str, lines: Sequence[Line]) -> str:
    return _list(title, said.formats.words.measures["views"], [said.line(line) for line in lines])


def _happenings(said: Said, links: Links) -> str:
    words = said.formats.words
    told = []
    for happening in said.digest.happenings:
        what, why = said.happening(happening)
        address = escape(f"{links.base}{happening.link}")
        link = f' <a class="link" href="{address}" style="color:#2955d9">{escape(words.more)}</a>' if links.base else ""
        more = f'<br><span class="dim" style="{_DIM}">{escape(why)}</span>' if why else ""
        told.append(f'<p class="ink" style="margin:0 0 8px;{_INK}">{escape(what)}{more}{link}</p>')
    return _title(words.happened) + "".join(told)


def _foot(said: Said, links: Links) -> str:
    words = said.formats.words
    button = ""
    if links.base:
        address = escape(links.dashboard(said.digest))
        button = (
            f'<tr><td align="center" style="padding:4px 0 16px"><a class="button" href="{address}" style="'
            "display:inline-block;background:#2955d9;color:#ffffff;text-decoration:none;border-radius:8px;"
            f'padding:10px 20px;font-weight:600">{escape(words.open)}</a></td></tr>'
        )
    notes = [escape(note) for note in said.notes]
    if links.to:
        why = escape(words.why_you.format(address=clean(links.to), site=clean(said.digest.site)))
        stop = f' <a class="link" href="{escape(links.stop)}" style="color:#2955d9">{escape(words.stop)}</a>'
        notes.append(f"{why}{stop if links.stop else ''}")
    style = f"padding:0 24px 24px;font-size:12px;{_DIM};{_WRAP}"
    return f'{button}<tr><td class="dim" style="{style}">{"<br>".join(notes)}</td></tr>'
