/** Lines over time: with a comparison, a band, notes, a tooltip, and the keyboard. */
import uPlot from 'uplot';
import {useLayoutEffect, useRef, useState} from 'preact/hooks';
import {metric} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {isPrinting} from '../../app/printing.js';
import {useStore} from '../../app/store.js';
import {shownTheme} from '../../app/theme.js';
import {colours, lines, optionsOf} from './drawing.js';
import {ChartNotes, ChartTable, Tooltip, expectedText} from './around.jsx';
import {fullTime} from './times.js';

const SHORTEST_DRAG_PX = 8;

/** Draws anew when something changes; `area` is where the lines are, in pixels, `move` sets the cursor. */
const usePlot = (box, {chart, theme, onPlace, onDrag}) => {
  const isOnPaper = useStore(isPrinting);
  const plot = useRef(null);
  const [area, setArea] = useState(null);
  const listeners = useRef({});
  listeners.current = {onPlace, onDrag};
  const measure = ({over}) => setArea({left: over.offsetLeft, width: over.clientWidth, height: over.clientHeight});
  // Before the browser goes on: when it prints, it takes what is there then.
  useLayoutEffect(() => {
    const colour = colours(box.current);
    const found = lines(chart, colour);
    const hooks = {
      ready: [measure],
      setSize: [measure],
      setCursor: [(drawn) => listeners.current.onPlace(drawn.cursor.idx ?? null)],
      setSelect: [
        (drawn) => {
          const {left, width} = drawn.select;
          if (width < SHORTEST_DRAG_PX) return;
          const places = [left, left + width].map((px) => Math.round(drawn.posToVal(px, 'x')));
          drawn.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
          listeners.current.onDrag(...places);
        },
      ],
    };
    const width = box.current.clientWidth;
    const columns = [chart.points.map((_, place) => place), ...found.map(({values}) => values)];
    const drawn = new uPlot(optionsOf({...chart, width, found, hooks}, colour), columns, box.current);
    plot.current = drawn;
    const observer = new ResizeObserver(([{contentRect}]) => {
      if (Math.abs(contentRect.width - drawn.width) >= 1) drawn.setSize({width: contentRect.width, height: chart.height}); // prettier-ignore
    });
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [chart.key, theme, isOnPaper]);
  const move = (place) => {
    const drawn = plot.current;
    drawn?.setCursor({left: drawn.valToPos(place, 'x'), top: drawn.over.clientHeight / 2});
  };
  return {area, move};
};

const STEPS = {ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity};

/** Returns the place of the last point that has a number: those behind it are only expected. */
const lastKnown = (points, {name}) => {
  const place = points.findLastIndex(({values}) => values[name] !== undefined);
  return place < 0 ? points.length - 1 : place;
};

/** Returns a point as words: Sun, 22 Nov 2026: 115 visitors (before: 116). */
const words = (place, {points, series, interval, band}) => {
  const point = points[place];
  const expected = expectedText(place, series[0], band);
  if (expected && point.values[series[0].name] === undefined) return `${fullTime(point.time, interval)}. ${expected}`;
  const parts = series.map(({name, label, kind}) => {
    const now = `${label}: ${metric(kind ?? name, point.values[name])}`;
    if (!point.compared) return now;
    return `${now} (${t('chart.before', {value: metric(kind ?? name, point.compared[name])})})`;
  });
  return [`${fullTime(point.time, interval)}. ${parts.join(', ')}`, expected].filter(Boolean).join('. ');
};

/**
 * label        what the chart is of, read aloud
 * points       [{time, values: {visitors: 12}, compared?: {visitors: 9}, comparedTime?}]; one is at least needed
 * series       [{name, label, kind}]: lines by the name in `values`; `kind` is the metric they are written as
 * interval     hour, day, week or month: what a point stands for
 * band         {lower, upper, forecast?}: lists as long as `points`, null where there is none; points that are only
 *              expected have no values
 * notes        [{id, place, text, link, kind?}]: what happened at the point `place`; `kind` spike or dip marks numbers
 *              that are unusual, without it somebody noted it
 * unfinished   place of the point that still grows, null for none
 * onPick       (first, last) times that were dragged over, or the point that Enter was typed at
 * onNotes      a mark of notes was pressed: gets them
 */
export const Chart = ({
  label,
  points,
  series,
  interval = 'day',
  band,
  notes = [],
  unfinished = null,
  onPick,
  onNotes,
  height = 260,
}) => {
  // prettier-ignore
  const box = useRef(null);
  const theme = useStore(shownTheme);
  const [place, setPlace] = useState(null);
  const hasCompared = points.some(({compared}) => compared);
  const kind = series[0].kind ?? series[0].name;
  const known = lastKnown(points, series[0]);
  const shown = {points, series, interval, kind, band, hasCompared, unfinished, height, canPick: Boolean(onPick)};
  const chart = {...shown, key: JSON.stringify(shown)};
  const pick = (one, other) => {
    const [first, last] = [one, other].sort((a, b) => a - b).map((at) => Math.max(0, Math.min(at, points.length - 1)));
    onPick?.(points[first].time, points[last].time);
  };
  const {area, move} = usePlot(box, {chart, theme, onPlace: setPlace, onDrag: pick});
  const onKeyDown = (event) => {
    if (event.key === 'Enter' && place !== null && onPick) return pick(place, place);
    if (event.key === 'Escape') return setPlace(null);
    if (!(event.key in STEPS) || event.altKey || event.ctrlKey || event.metaKey) return undefined;
    event.preventDefault();
    const from = place ?? (STEPS[event.key] < 0 ? known + 1 : -1);
    const next = Math.max(0, Math.min(points.length - 1, from + STEPS[event.key]));
    move(next);
    return setPlace(next);
  };
  const at = place !== null && place < points.length ? place : null;
  const spoken = {points, series, interval, band};
  return (
    <div class="chart">
      <div
        class="chart-box"
        ref={box}
        style={{height: `${height}px`}}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={points.length - 1}
        aria-valuenow={at ?? known}
        aria-valuetext={words(at ?? known, spoken)}
        onKeyDown={onKeyDown}
        onBlur={() => setPlace(null)}
      />
      {area && <ChartNotes area={area} count={points.length} notes={notes} onNotes={onNotes} />}
      {area && at !== null && <Tooltip area={area} place={at} {...spoken} notes={notes} />}
      <ChartTable {...spoken} label={label} hasCompared={hasCompared} />
    </div>
  );
};
