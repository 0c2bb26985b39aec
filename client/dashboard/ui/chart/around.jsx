/** What stands around the lines of a chart: the tooltip, marks of notes, and the numbers as a table for who does not see them. */
import {change, metric} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {fullTime} from './times.js';

const MOST_IN_TABLE = 400;

const share = (place, count) => place / Math.max(1, count - 1);

const percentOf = (now, before) => (before ? ((now - before) / before) * 100 : null);

/** Says what is expected of a point, '' where nothing is. */
export const expectedText = (place, {name, kind = name}, band) => {
  if (typeof band?.lower[place] !== 'number') return '';
  const from = metric(kind, band.lower[place]);
  const to = metric(kind, band.upper[place]);
  const middle = band.forecast?.[place];
  if (typeof middle !== 'number') return t('chart.expected', {from, to});
  return t('chart.expected_value', {value: metric(kind, middle), from, to});
};

const Line = ({series: {name, label, kind = name}, point, number}) => {
  const now = point.values[name];
  const before = point.compared?.[name];
  const moved = before === undefined || before === null || now === null ? null : percentOf(now, before);
  return (
    <>
      <p class="chart-value">
        <span class={`chart-key key-${number + 1}`} />
        {label} <strong>{metric(kind, now)}</strong>
        {moved !== null && <small>{change(moved)}</small>}
      </p>
      {before !== undefined && (
        <p class="chart-value soft">
          <span class="chart-key dashed" />
          {t('chart.before', {value: metric(kind, before)})}
        </p>
      )}
    </>
  );
};

/** Says the numbers of one point; `area` is where the lines are drawn. */
export const Tooltip = ({area, place, points, series, interval, band, notes}) => {
  const point = points[place];
  const expected = expectedText(place, series[0], band);
  const lines = expected ? series.filter(({name}) => point.values[name] !== undefined) : series;
  const at = share(place, points.length);
  const left = area.left + at * area.width;
  const style = at > 0.5 ? {right: `calc(100% - ${left - 12}px)`} : {left: `${left + 12}px`};
  return (
    <div class="chart-tip" style={style} aria-hidden="true">
      <p class="chart-time">{fullTime(point.time, interval)}</p>
      {lines.map((one, number) => (
        <Line key={one.name} series={one} point={point} number={number} />
      ))}
      {point.comparedTime && (
        <p class="soft">{t('chart.compared_with', {time: fullTime(point.comparedTime, interval)})}</p>
      )}
      {expected && <p class="soft">{expected}</p>}
      {notes
        .filter((note) => note.place === place)
        .map(({id, text}) => (
          <p key={id} class="chart-note-text">
            {text}
          </p>
        ))}
    </div>
  );
};

/** Marks where something happened; a mark is of all notes of its point. */
export const ChartNotes = ({area, count, notes, onNotes}) => {
  const places = [...new Set(notes.map(({place}) => place))].sort((one, other) => one - other);
  return places.map((place) => {
    const own = notes.filter((note) => note.place === place);
    const text = own.map((note) => note.text).join('; ');
    const kind = own.every((note) => note.kind) ? `unusual ${own[0].kind}` : '';
    const label = own.map((note) => t(note.kind ? 'chart.unusual' : 'chart.note', {text: note.text})).join('; ');
    return (
      <button
        key={place}
        type="button"
        class={`chart-note ${kind}`}
        style={{left: `${area.left + share(place, count) * area.width}px`, height: `${area.height + 12}px`}}
        aria-label={label}
        title={text}
        onClick={() => onNotes?.(own)}
      >
        <span />
      </button>
    );
  });
};

/** The same numbers as a table that only screen readers show. */
export const ChartTable = ({label, points, series, interval, band, hasCompared}) => {
  if (points.length > MOST_IN_TABLE) return null;
  return (
    <div class="unseen">
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">{t('chart.time')}</th>
            {series.map(({name, label: title}) => (
              <th key={name} scope="col">
                {title}
              </th>
            ))}
            {hasCompared && <th scope="col">{t('chart.compared')}</th>}
            {band && <th scope="col">{t('chart.expectation')}</th>}
          </tr>
        </thead>
        <tbody>
          {points.map((point, place) => (
            <tr key={point.time}>
              <th scope="row">{fullTime(point.time, interval)}</th>
              {series.map(({name, kind = name}) => (
                <td key={name}>{metric(kind, point.values[name])}</td>
              ))}
              {hasCompared && <td>{metric(series[0].kind ?? series[0].name, point.compared?.[series[0].name])}</td>}
              {band && <td>{expectedText(place, series[0], band)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
