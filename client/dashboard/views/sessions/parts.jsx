/** What lists and pages of sessions share: visitors, places, devices, badges, addresses. */
import {country, flag} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {shortAddress} from './story.js';

/** Returns the first digits of a hash: enough to tell visitors of one list apart. */
export const shortId = (id) => String(id ?? '').slice(0, 8);

/** Leads to a visitor; is called by the address where the site keeps it. */
export const VisitorLink = ({visitor, ip}) =>
  visitor ? (
    <a href={toView('visitors', {id: visitor})} title={t('sessions.visitor_hint')}>
      {ip || <code>{shortId(visitor)}</code>}
    </a>
  ) : (
    t('value.unknown')
  );

/** What is known of where somebody was; of an own network there is no more to say. */
export const Place = ({code, city}) => (
  <>
    <span aria-hidden="true">{flag(code)}</span>{' '}
    {[code === 'LOCAL' ? '' : city, country(code)].filter(Boolean).join(', ')}
  </>
);

/** A badge: a word in a frame, never a colour alone. */
export const Badge = ({kind, children}) => <span class={`visit-badge ${kind ?? ''}`}>{children}</span>;

/** An address of a page: leads there only where it is http or https. */
export const Address = ({address}) => {
  const text = shortAddress(address) || '–';
  if (!/^https?:\/\//i.test(address ?? '')) return <span class="address-text">{text}</span>;
  return (
    <a class="address-text" href={address} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  );
};

const NAMELESS = ['direct', 'internal'];
const channelText = (channel) => (hasText(`sessions.channel.${channel}`) ? t(`sessions.channel.${channel}`) : channel);

/** What brought a visit: Google · Search. */
export const sourceText = ({channel, source}) => {
  const name = channel ? channelText(channel) : '';
  if (!source || NAMELESS.includes(channel)) return name || t('value.unknown');
  return name ? `${source} · ${name}` : source;
};

export const deviceText = ({browser, os, device}) =>
  [browser, os, device && device !== 'unknown' ? device : ''].filter(Boolean).join(' · ') || t('value.unknown');

/** Two lines of a cell: what matters, and in small what belongs to it. */
export const Two = ({first, second}) => (
  <span class="two-lines">
    <span title={first}>{first}</span>
    {second && <small title={second}>{second}</small>}
  </span>
);

export const SourceCell = ({visit}) => {
  const [first, second] = sourceText(visit).split(' · ');
  return <Two first={first} second={second} />;
};

export const DeviceCell = ({visit: {browser, os, device}}) => (
  <Two
    first={browser || t('value.unknown')}
    second={[os, device !== 'unknown' && device].filter(Boolean).join(' · ')}
  />
);
