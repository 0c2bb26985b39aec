/** What happens, event by event: of people, and apart from them of robots. */
import {useRef, useState} from 'preact/hooks';
import {clock, country, flag, whole} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';

const keyOf = ({time, session, kind, page, name, target}) => [time, session, kind, page, name, target].join('\n');

const named = (group, name) => (hasText(`live.${group}.${name}`) ? t(`live.${group}.${name}`) : name);

const Details = ({event}) => (
  <>
    <span class="feed-kind">{named('kind', event.kind)}</span> <span class="feed-page">{event.page}</span>
    {(event.name || event.target) && <small> {[event.name, event.target].filter(Boolean).join(' → ')}</small>}
    {event.crawler && <small> {event.crawler}</small>}
    {event.reasons?.length > 0 && (
      <small> {t('live.because', {reasons: event.reasons.map((reason) => named('reason', reason)).join(', ')})}</small>
    )}
  </>
);

const Row = ({event}) => (
  <li>
    <time dateTime={event.time}>{clock(event.time)}</time>
    <span class="feed-flag" role="img" aria-label={country(event.country)} title={country(event.country)}>
      {flag(event.country) || '·'}
    </span>
    <span class="feed-what">
      {event.session ? (
        <a href={toView('sessions', {id: event.session})}>
          <Details event={event} />
        </a>
      ) : (
        <Details event={event} />
      )}
    </span>
  </li>
);

/** Returns a key for each event; those that look the same are told apart by how many older ones do. */
const keysOf = (events) => {
  const seen = new Map();
  return events
    .toReversed()
    .map((event) => {
      const key = keyOf(event);
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return `${key}\n${seen.get(key)}`;
    })
    .toReversed();
};

const List = ({events, label, ...rest}) => {
  const keys = keysOf(events);
  return (
    <ul class="feed" aria-label={label} {...rest}>
      {events.map((event, place) => (
        <Row key={keys[place]} event={event} />
      ))}
    </ul>
  );
};

/** Returns the events to show: those of now, or while `isHeld` those of when that began, and how many came since. */
const useHeld = (events, isHeld) => {
  const held = useRef(events);
  if (!isHeld) held.current = events;
  const known = new Set(held.current.map(keyOf));
  return [held.current, isHeld ? events.filter((event) => !known.has(keyOf(event))).length : 0];
};

/** Events of people; what is pointed at, or has the focus, does not move. */
export const Feed = ({events}) => {
  const [isPaused, setPaused] = useState(false);
  const [isTouched, setTouched] = useState(false);
  const isHeld = isPaused || isTouched;
  const [shown, more] = useHeld(events, isHeld);
  const pause = (
    <button type="button" class="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
      <Icon name={isPaused ? 'play' : 'pause'} size={16} />
      {isPaused ? t('live.resume') : t('live.pause')}
    </button>
  );
  return (
    <Panel title={t('live.feed')} extra={pause} class="live-feed">
      {/* Always there: a line that came would move what is pointed at away from under the pointer. */}
      <p class="soft feed-held">{isHeld ? t('live.held', {count: more}) : t('live.flows')}</p>
      {shown.length === 0 ? (
        <Empty title={t('live.quiet')} hint={t('live.quiet_hint')} />
      ) : (
        <List
          events={shown}
          label={t('live.feed')}
          onPointerEnter={({pointerType}) => pointerType === 'mouse' && setTouched(true)}
          onPointerLeave={() => setTouched(false)}
          onFocusIn={() => setTouched(true)}
          onFocusOut={() => setTouched(false)}
        />
      )}
    </Panel>
  );
};

export const Robots = ({robots}) => (
  <Panel title={t('live.robots')} class="live-robots">
    <p class="soft">{t('live.robots_hint', {count: robots.events, number: whole(robots.events)})}</p>
    {robots.feed.length > 0 && <List events={robots.feed} label={t('live.robots')} />}
  </Panel>
);
