/** Alerts, channels and history of a site, or of the server itself; which of them is shown stands in the address. */
import {useEffect, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {Title} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';
import {Channels} from './Channels.jsx';
import {History, LIMIT} from './History.jsx';
import {Opened} from './Opened.jsx';
import {Quick} from './Quick.jsx';
import {Rules} from './Rules.jsx';
import {GIVEN_AWAY, givenIn} from './draft.js';
import {AddButton, NoMail} from './parts.jsx';

const TABS = ['alerts', 'channels', 'history'];
const RECENT_MS = 7 * 86_400_000;

const isRecent = ({at}) => new Date(at) > Date.now() - RECENT_MS;

const Failures = ({deliveries}) => {
  const count = deliveries.filter((one) => one.status === 'failed' && isRecent(one)).length;
  if (!count) return null;
  return (
    <p class="warn-text">
      {t('alerts.failures', {count})} <a href={withParams({tab: 'history'})}>{t('alerts.see_history')}</a>
    </p>
  );
};

const First = ({base, isServer, channels, canMail, onShow, reload}) => (
  <>
    <div class="al-first">
      <p>{t(isServer ? 'alerts.first_server' : 'alerts.first')}</p>
    </div>
    {canMail ? (
      <Quick
        base={base}
        isServer={isServer}
        channels={channels}
        onDone={(made) => {
          reload();
          onShow({tested: made, kind: 'alerts'});
        }}
      />
    ) : (
      <NoMail docs="docs/alerts.md">
        <p>{t('alerts.without_mail')}</p>
      </NoMail>
    )}
  </>
);

const Tab = (props) => {
  const {tab, rules, deliveries} = props;
  if (tab === 'channels') return <Channels {...props} />;
  return (
    <>
      <Failures deliveries={deliveries} />
      {rules.length ? <Rules {...props} /> : <First {...props} />}
    </>
  );
};

const Tabs = ({chosen}) => (
  <nav class="tabs" aria-label={t('view.alerts')}>
    {TABS.map((name) => (
      <a
        key={name}
        href={withParams({tab: name === 'alerts' ? '' : name})}
        aria-current={name === chosen ? 'page' : undefined}
      >
        {t(`alerts.tab.${name}`)}
      </a>
    ))}
  </nav>
);

/** Nobody can be told without a channel, so that comes first. */
const newRule = (channels, given) =>
  channels.length ? {rule: null, given} : {channel: null, next: {rule: null, given}};

/** Returns the answers that all tabs are made of as one. */
const useDesk = (base) => {
  const alerts = useAnswer(`${base}/alerts`, {}, {isKept: false});
  const channels = useAnswer(`${base}/channels`, {}, {isKept: false});
  const history = useAnswer(`${base}/alerts/history`, {limit: LIMIT}, {isKept: false});
  const all = [alerts, channels, history];
  const isThere = all.every(({data}) => data !== undefined);
  return {
    data: isThere ? {...alerts.data, ...channels.data, history: history.data} : undefined,
    error: all.find(({error}) => error)?.error,
    isLoading: all.some(({isLoading}) => isLoading),
    reload: () => all.forEach(({reload}) => reload()),
  };
};

/** `base` is the path of the API, `kinds` those of its alerts, `title` the view's. */
export const Desk = ({place, base, kinds, title, isServer = false, goals = [], timezone}) => {
  const desk = useDesk(base);
  const [open, show] = useState(null);
  const wanted = place.params.get('tab');
  const tab = TABS.includes(wanted) ? wanted : 'alerts';
  const {alerts: rules = [], channels = [], history, mail_is_set_up: canMail} = desk.data ?? {};
  const shared = {base, kinds, goals, timezone, isServer, rules, channels, canMail, onShow: show, reload: desk.reload};
  const given = givenIn(place.params, kinds);
  useEffect(() => {
    if (!given || !desk.data) return;
    show(newRule(channels, given));
    go(withParams(GIVEN_AWAY), {replace: true});
  }, [Boolean(given && desk.data)]);
  const add = () => show(tab === 'channels' ? {channel: null} : newRule(channels));
  return (
    <>
      <Title
        extra={
          desk.data &&
          tab !== 'history' && (
            <AddButton text={t(tab === 'channels' ? 'channels.make' : 'alerts.make')} onClick={add} />
          )
        }
      >
        {title}
      </Title>
      <Tabs chosen={tab} />
      <Answered answer={desk} rows={6}>
        {() =>
          tab === 'history' ? (
            <History key={history.deliveries[0]?.id} base={base} first={history} />
          ) : (
            <Tab {...shared} tab={tab} deliveries={history.deliveries} />
          )
        }
      </Answered>
      {open && <Opened {...shared} open={open} />}
    </>
  );
};
