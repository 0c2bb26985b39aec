"""The chart of a report that browsers show: bars as SVG, each with its number to point at."""

from html import escape

from visitor_tracker.reports.digest.said import Said

WIDTH, HEIGHT = 552, 120
_GAP = 0.25  # of a bar's room
_LEAST = 1.5  # whatever is more than nothing is seen


def svg_of(said: Said) -> str:
    """Return the bars as an SVG element; their colour is that of the class `bar`."""
    bars = said.digest.bars
    highest = max(bar.visits for bar in bars) or 1
    room = WIDTH / len(bars)
    drawn = []
    for place, bar in enumerate(bars):
        height = max(_LEAST, HEIGHT * bar.visits / highest) if bar.visits else 0
        told = f"{said.bar(bar)}: {said.formats.number(bar.visits)}"
        drawn.append(
            f'<rect x="{place * room:.1f}" y="{HEIGHT - height:.1f}" width="{room * (1 - _GAP):.1f}"'
            f' height="{height:.1f}"><title>{escape(told)}</title></rect>'
        )
    return (
        f'<svg role="img" aria-label="{escape(said.chart)}" viewBox="0 0 {WIDTH} {HEIGHT + 1}" width="100%"'
        f' xmlns="http://www.w3.org/2000/svg" style="display:block"><g class="bar">{"".join(drawn)}</g>'
        f'<path class="axis" d="M0 {HEIGHT + 0.5}H{WIDTH}"/></svg>'
    )
