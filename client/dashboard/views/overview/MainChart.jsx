/** How the chosen number went, with notes of what happened. */
import {useRef, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {reportPeriod, toQuery} from '../../app/question.js';
import {may} from '../../app/session.js';
import {Chart} from '../../ui/chart/Chart.jsx';
import {daysOfPoint} from '../../ui/chart/times.js';
import {Icon} from '../../ui/icon.jsx';
import {Tabs} from '../../ui/panel.jsx';
import {dayIn, periodOf} from '../../ui/period/days.js';
import {sentence} from '../anomalies/words.js';
import {Exports} from './Exports.jsx';
import {ForecastSwitch, Legend, useForecast} from './Forecast.jsx';
import {Notes} from './Notes.jsx';
import {METRICS, intervalChoices, pointsOf} from './asked.js';
import {chartPicture} from './picture.js';

/** Returns the place of the point that a moment belongs to, -1 for none. */
const placeOf = (moment, points, {interval, timezone}) => {
  const time = new Date(moment).getTime();
  if (interval === 'hour') {
    return points.findIndex((point) => time >= Date.parse(point.time) && time < Date.parse(point.time) + 3_600_000);
  }
  const day = dayIn(timezone, time);
  return points.findIndex((point) => {
    const [first, last] = daysOfPoint(point.time, interval);
    return first <= day && day <= last;
  });
};

const placed = (annotations, points, meta) =>
  annotations.map((note) => ({...note, place: placeOf(note.at, points, meta)})).filter(({place}) => place >= 0);

/** Returns the marks of a chart: what people noted, and what was unusual. */
const marksOf = (noted, unusual, points, meta) =>
  placed(
    [
      ...(noted?.annotations ?? []),
      ...unusual.map((one) => ({id: one.id, kind: one.kind, at: one.peak_ms, text: sentence(one)})),
    ],
    points,
    meta,
  );

const UnusualMark = ({mark: {id, text}, isEmbedded}) => (
  <p>
    {text} {!isEmbedded && <a href={toView('anomalies', {id})}>{t('anomalies.why')}</a>}
  </p>
);

const zoom = (first, last, {interval, from, to}) => {
  const [start] = daysOfPoint(first, interval);
  const [, end] = daysOfPoint(last, interval);
  if (start > to) return; // nothing but what is expected
  const period = periodOf(start < from ? from : start, end > to ? to : end);
  if (interval !== 'hour' || start !== end) go(withParams({period, interval: null}));
};

export const MainChart = ({data, chosen, question, site, isEmbedded, unusual}) => {
  const {meta} = data;
  const box = useRef(null);
  const [opened, setOpened] = useState(null);
  const measured = pointsOf(data);
  const {unfinished} = measured;
  const forecast = useForecast({data, chosen, question, site, measured});
  const {points, band} = forecast;
  const {data: noted, reload} = useAnswer(at`/api/v1/sites/${question.site}/annotations`, {
    period: reportPeriod(question),
  });
  const notes = marksOf(noted, unusual.found, measured.points, meta);
  const open = (marks) => {
    if (marks.some(({kind}) => !kind)) setOpened(marks);
    else if (!isEmbedded) go(toView('anomalies', {id: marks[0].id}));
  };
  const mayNote = may('manage', question.site) && !isEmbedded;
  const label = t(`metric.${chosen}`);
  const asked = toQuery(question, {dimensions: `time:${meta.interval}`, metrics: METRICS.join(',')});
  return (
    <div class="main-chart">
      <div class="chart-tools unprinted">
        <Tabs
          label={t('overview.interval')}
          choices={intervalChoices(question, meta).map((name) => [name, t(`interval.${name}`)])}
          chosen={meta.interval}
          onChoose={(interval) => go(withParams({interval}))}
        />
        <div class="chart-buttons">
          {mayNote && (
            <button type="button" class="button quiet" onClick={() => setOpened([])}>
              <Icon name="note" size={16} /> {t('notes.add')}
            </button>
          )}
          <ForecastSwitch forecast={forecast} />
          <Exports asked={asked} name="time" picture={() => chartPicture(box.current, label, question)} />
        </div>
      </div>
      <div ref={box}>
        <Chart
          label={t('overview.chart', {name: label})}
          points={points}
          series={[{name: chosen, label, kind: chosen}]}
          interval={meta.interval}
          band={band}
          notes={notes}
          unfinished={unfinished}
          onPick={(first, last) => zoom(first, last, meta)}
          onNotes={open}
        />
      </div>
      <Legend forecast={forecast} hasUnusual={notes.some(({kind}) => kind)} />
      {opened && (
        <Notes
          site={question.site}
          timezone={site?.timezone ?? 'UTC'}
          notes={opened.map(({id}) => noted.annotations.find((note) => note.id === id)).filter(Boolean)}
          isNew={opened.length === 0}
          mayNote={mayNote}
          onChanged={reload}
          onClose={() => setOpened(null)}
        >
          {opened
            .filter(({kind}) => kind)
            .map((mark) => (
              <UnusualMark key={mark.id} mark={mark} isEmbedded={isEmbedded} />
            ))}
        </Notes>
      )}
    </div>
  );
};
