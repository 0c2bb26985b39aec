/** The events of a session in order, each with its time since the first. */
import {duration, milliseconds, moment, percent, ratio} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Icon} from '../../ui/icon.jsx';
import {Address, Badge} from './parts.jsx';
import {clockOf, isMarked, selectorOf} from './story.js';

const HIDDEN_OF_ERRORS = ['stack', 'source', 'line', 'column', 'group'];
const HIDDEN_OF_CLICKS = ['rage', 'dead'];

const Properties = ({data, hidden = []}) => {
  const shown = Object.entries(data ?? {}).filter(([name]) => !hidden.includes(name));
  if (!shown.length) return null;
  return (
    <dl class="properties">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{String(value)}</dd>
        </div>
      ))}
    </dl>
  );
};

/** A vital with its unit: CLS has none. */
export const vitalText = (name, value) => (name === 'CLS' ? ratio(value) : milliseconds(value));

const View = ({event}) => (
  <>
    <Address address={event.href} />
    {event.title && <p class="soft">{event.title}</p>}
    <p class="soft">
      {event.engaged > 0 && `${t('sessions.read_for', {time: duration(event.engaged)})} `}
      {event.depth > 0 && `${t('sessions.scrolled_to', {share: percent(event.depth / 100, 0)})} `}
      {event.vitals.map(({name, value}) => `${name} ${vitalText(name, value)}`).join(', ')}
    </p>
  </>
);

const Click = ({event}) => (
  <>
    {event.text && <strong>{event.text}</strong>} <code>{selectorOf(event.element)}</code>{' '}
    {isMarked(event, 'rage') && <Badge kind="warn">{t('sessions.rage')}</Badge>}{' '}
    {isMarked(event, 'dead') && <Badge>{t('sessions.dead')}</Badge>}
    {event.target && <Address address={event.target} />}
    <Properties data={event.data} hidden={HIDDEN_OF_CLICKS} />
  </>
);

const Failure = ({event}) => (
  <>
    <strong class="bad">{event.name}</strong>
    {event.data?.source && (
      <p class="soft address-text">
        {event.data.source}:{event.data.line}:{event.data.column}
      </p>
    )}
    {event.data?.stack && (
      <details>
        <summary>{t('errors.stack')}</summary>
        <pre tabIndex={0}>{String(event.data.stack).split(' | ').join('\n')}</pre>
      </details>
    )}
    <Properties data={event.data} hidden={HIDDEN_OF_ERRORS} />
  </>
);

const Measured = ({event}) => (
  <>
    {event.name} {vitalText(event.name, event.value ?? 0)}
  </>
);

const Read = ({event}) => (
  <>
    {event.engaged > 0 && t('sessions.read_for', {time: duration(event.engaged)})}{' '}
    {event.depth > 0 && t('sessions.scrolled_to', {share: percent(event.depth / 100, 0)})}
  </>
);

const Other = ({event}) => (
  <>
    {event.name && <strong>{event.name}</strong>} {event.target && <Address address={event.target} />}
    {event.value !== undefined && event.value !== null && (
      <Badge>{[event.value, event.currency].filter(Boolean).join(' ')}</Badge>
    )}
    {event.person && <code>{event.person.slice(0, 16)}</code>}
    <Properties data={event.data} />
  </>
);

const SHOWN = {
  pageview: [View, 'sites'],
  click: [Click, 'goals'],
  error: [Failure, 'errors'],
  vital: [Measured, 'vitals'],
  engagement: [Read, 'sessions'],
  scroll: [Read, 'sessions'],
  form: [Other, 'edit'],
  outbound: [Other, 'link'],
  download: [Other, 'download'],
  identify: [Other, 'user'],
};

/** Returns the row that the player is at: the last one whose moment has come. */
const rowAt = (story, {offsets, at}) =>
  at < 0 ? -1 : story.reduce((found, {id}, row) => (offsets[id] !== undefined && offsets[id] <= at ? row : found), -1);

const className = (row, event, chosen, playing) =>
  [`event-${event.type}`, row === chosen && 'chosen', row === playing && 'playing', isMarked(event, 'rage') && 'rage']
    .filter(Boolean)
    .join(' ');

const Row = ({event, row, isSeekable, onChoose, name}) => {
  const [Inside, icon] = SHOWN[event.type] ?? [Other, 'note'];
  const time = (
    <time dateTime={event.timestamp} title={moment(event.timestamp)}>
      +{clockOf(event.offset)}
    </time>
  );
  return (
    <li id={`event-${row}`} tabIndex={-1} class={name}>
      {isSeekable ? (
        <button type="button" class="seek" title={t('sessions.seek')} onClick={() => onChoose(row)}>
          {time} <Icon name="play" size={12} />
          <span class="unseen">{t('sessions.seek')}</span>
        </button>
      ) : (
        <span class="seek">{time}</span>
      )}
      <span class="kind">
        <Icon name={icon} size={16} /> {t(`event.${SHOWN[event.type] ? event.type : 'custom'}`)}
      </span>
      <div class="what">
        <Inside event={event} />
      </div>
    </li>
  );
};

export const Timeline = ({story, chosen, recording, onChoose}) => {
  const playing = rowAt(story, recording);
  return (
    <ol class="timeline">
      {story.map((event, row) => (
        <Row
          key={event.id}
          event={event}
          row={row}
          name={className(row, event, chosen, playing)}
          isSeekable={recording.offsets[event.id] !== undefined}
          onChoose={onChoose}
        />
      ))}
    </ol>
  );
};
