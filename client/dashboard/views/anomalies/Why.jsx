/** What explains an anomaly: values by their share of the change, what moved the other way, what is known of that time. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {day, decimal, moment, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {fullTime} from '../../ui/chart/times.js';
import {dimensionName, valueName} from '../../ui/filters/names.js';
import {Icon} from '../../ui/icon.jsx';
import {Answered} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {BarCell} from '../goals/parts.jsx';
import {Notes} from '../overview/Notes.jsx';
import {toValue} from './links.js';
import {noteText, periodOfPeak, reasonText} from './words.js';

const usual = (value) => (value < 10 ? decimal(value, 1) : whole(value));

/** The days that the server's own link leads to. */
const daysOf = ({link}) => new URLSearchParams(link.split('?')[1]).get('period') ?? '';

const hrefOf = (cause, metric) => toValue(daysOf(cause), cause.dimension, cause.value, {metric});

const Details = ({details}) =>
  details.map(({dimension, value, share, usual_share: before}) => (
    <small key={dimension} class="g-below">
      {t('anomalies.detail', {
        share: percent(share, 0),
        value: `${dimensionName(dimension)} ${valueName(dimension, value)}`,
        usual: percent(before, 0),
      })}
    </small>
  ));

const columnsOf = (metric) => [
  {
    name: 'value',
    title: t('anomalies.cause_title'),
    show: (cause) => (
      <BarCell share={Math.abs(cause.share)}>
        <span class="soft">{dimensionName(cause.dimension)}</span>{' '}
        <a href={hrefOf(cause, metric)}>{valueName(cause.dimension, cause.value)}</a>
        <Details details={cause.details} />
      </BarCell>
    ),
  },
  {name: 'share', title: t('anomalies.of_change'), isNumber: true, show: ({share}) => percent(share, 0)},
  {name: 'now', title: t('anomalies.then'), isNumber: true, show: ({value_now: value}) => whole(value)},
  {name: 'usual', title: t('anomalies.usual'), isNumber: true, show: ({value_expected: value}) => usual(value)},
];

const keyOf = ({dimension, value}) => `${dimension} ${value}`;

const Causes = ({title, rows, metric}) =>
  rows.length > 0 && (
    <>
      <h3>{title}</h3>
      <Table caption={title} columns={columnsOf(metric)} rows={rows} keyOf={keyOf} />
    </>
  );

const Link = ({href}) =>
  /^https?:\/\//.test(href ?? '') && (
    <>
      {' '}
      <a href={href} rel="noopener noreferrer" target="_blank">
        {t('notes.more')}
      </a>
    </>
  );

/** What people noted of these days, and one more note. */
const Noted = ({found, site, timezone, mayNote}) => {
  const {anomaly} = found;
  const [draft, setDraft] = useState(null);
  const {data, reload} = useAnswer(at`/api/v1/sites/${site}/annotations`, {period: periodOfPeak(anomaly)});
  const notes = data?.annotations ?? [];
  return (
    <>
      {notes.length > 0 && <h3>{t('notes.title')}</h3>}
      <ul class="anomaly-notes">
        {notes.map((note) => (
          <li key={note.id}>
            <Icon name="note" size={14} /> {note.text} <span class="soft">{moment(note.at, timezone)}</span>
            <Link href={note.link} />
          </li>
        ))}
      </ul>
      {mayNote && (
        <p>
          <button
            type="button"
            class="button"
            onClick={() => setDraft({text: noteText(anomaly, found), at: anomaly.peak_ms})}
          >
            <Icon name="note" size={16} /> {t('notes.add')}
          </button>
        </p>
      )}
      {draft && (
        <Notes
          {...{site, timezone, draft, mayNote}}
          notes={[]}
          isNew={true}
          onChanged={reload}
          onClose={() => setDraft(null)}
        />
      )}
    </>
  );
};

const timesText = (times, step) =>
  times
    .map((time) => (step === 'hour' ? fullTime(time, step) : day(time, {day: 'numeric', month: 'short'})))
    .join(', ');

/** What the numbers are compared with, and whether anything arrived at all. */
const Basis = ({found: {compared_with: times, received, value_now: now, value_expected: before}, step}) => (
  <p class="g-note">
    {times.length > 0
      ? t('anomalies.compared', {times: timesText(times, step), now: whole(now), usual: usual(before)})
      : t('anomalies.not_compared')}{' '}
    {received && t('anomalies.received', {events: whole(received.events), usual: usual(received.usually)})}
  </p>
);

const Shown = ({found, ...shared}) => {
  const {anomaly, causes, counter} = found;
  const reason = causes.length === 0 ? reasonText(found) || t('anomalies.unexplained') : '';
  return (
    <>
      {reason && <p>{reason}</p>}
      <Causes title={t('anomalies.causes')} rows={causes} metric={anomaly.metric} />
      <Causes title={t('anomalies.counter')} rows={counter} metric={anomaly.metric} />
      <Basis found={found} step={anomaly.step} />
      <Noted found={found} {...shared} />
    </>
  );
};

export const Why = ({anomaly, days, site, ...shared}) => {
  const answer = useAnswer('/api/v1/anomalies/why', {site, days, id: anomaly.id});
  return (
    <div class="why">
      <Answered answer={answer} rows={3}>
        {(found) => <Shown found={found} site={site} {...shared} />}
      </Answered>
    </div>
  );
};
