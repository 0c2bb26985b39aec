/** The self-test: what the server finds out about itself, what this browser sees of it, and what pages must allow. */
import {useEffect, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {request} from '../../app/api.js';
import {NONE, ago, decimal, moment, percent, whole} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {toAdmin, toView} from '../../app/place.js';
import {Field} from '../../ui/form.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Copyable} from '../../ui/copy.jsx';
import {judge} from './csp.js';
import {Mark} from './shared.jsx';

const KINDS = {ok: 'good', warn: 'warn', bad: 'bad'};
const SKEW_MS = 5000; // more than that is no clock that is set by the network

const StateMark = ({state}) => <Mark kind={KINDS[state]}>{t(`checks.${state}`)}</Mark>;

const nameOf = (name) => (hasText(`check.${name}`) ? t(`check.${name}`) : name);

const List = ({checks}) => (
  <ul class="checks">
    {checks.map(({name, state, text, change}) => (
      <li key={name + text} class={`check-${state}`}>
        <StateMark state={state} />
        <div>
          <strong>{nameOf(name)}</strong>
          <p>{text}</p>
          {change && state !== 'ok' && <p class="soft">→ {change}</p>}
        </div>
      </li>
    ))}
  </ul>
);

const script = async () => {
  const answer = await request('GET', '/script.js', {accept: '*/*'});
  const bytes = (await answer.text()).length;
  return {name: 'script', state: 'ok', text: t('checks.script_there', {bytes: whole(bytes)})};
};

const clock = async () => {
  const began = Date.now();
  const answer = await request('GET', '/healthz');
  await answer.text(); // a body that nobody reads keeps the request open
  const skew = new Date(answer.headers.get('date') ?? Date.now()).getTime() - (began + Date.now()) / 2;
  const isFar = Math.abs(skew) > SKEW_MS;
  const seconds = decimal(Math.abs(skew) / 1000, 1);
  return {
    name: 'clock',
    state: isFar ? 'warn' : 'ok',
    text: isFar ? t('checks.clock_far', {seconds}) : t('checks.clock_near'),
    change: t('checks.clock_change'),
  };
};

const failed = (name) => (error) => ({
  name,
  state: 'bad',
  text: error.message || t('error.no_answer'),
  change: t('error.no_answer_hint'),
});

const useOwnChecks = (round) => {
  const [found, setFound] = useState([]);
  useEffect(() => {
    let isWanted = true;
    Promise.all([script().catch(failed('script')), clock().catch(failed('clock'))]).then(
      (checks) => isWanted && setFound(checks),
    );
    return () => {
      isWanted = false;
    };
  }, [round]);
  return found;
};

const Request = ({seen}) => (
  <Panel title={t('checks.request')}>
    <p class="soft">{t('checks.request_hint')}</p>
    <dl class="fact-list">
      {[
        [
          t('checks.peer'),
          `${seen.peer || t('checks.socket')} (${t(seen.trusted ? 'checks.trusted' : 'checks.untrusted')})`,
        ],
        ...Object.entries(seen.forwarded),
        [t('checks.client'), seen.client],
        [t('checks.host'), seen.host],
        [t('checks.scheme'), seen.secure ? 'https' : 'http'],
      ].map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  </Panel>
);

const siteColumns = () => [
  {name: 'site', title: t('audit.site'), show: ({site}) => <a href={toView('overview', {site})}>{site}</a>},
  {
    name: 'last',
    title: t('checks.last'),
    show: ({last_event_at: last}) => (last ? <time dateTime={last} title={moment(last)}>{ago(last)}</time> : t('checks.never')), // prettier-ignore
  },
  {name: 'hour', title: t('checks.hour'), isNumber: true, show: ({events_hour: events}) => whole(events)},
  {
    name: 'counter',
    title: t('checks.by_counter'),
    isNumber: true,
    show: ({by_counter: share}) => (share === null ? NONE : percent(share)),
  },
  {
    name: 'help',
    title: '',
    show: ({site, last_event_at: last}) => !last && <a href={toAdmin('welcome', {site})}>{t('sites.install')}</a>,
  },
];

const Policy = () => {
  const [text, setText] = useState('');
  const [page, setPage] = useState('');
  const origin = location.origin;
  const found = text.trim() ? judge(text, origin, page.trim().replace(/^(https?:\/\/[^/]+).*$/, '$1')) : [];
  return (
    <Panel title={t('checks.policy')}>
      <p>{t('checks.policy_hint')}</p>
      <Copyable
        label={t('checks.policy')}
        text={['script-src', 'connect-src', 'img-src'].map((name) => `${name} ${origin};`).join(' ')}
      />
      <Field
        label={t('checks.policy_page')}
        type="url"
        placeholder="https://example.com/"
        value={page}
        onInput={({target}) => setPage(target.value)}
      />
      <Field
        label={t('checks.policy_text')}
        help={t('checks.policy_text_help')}
        type="textarea"
        spellcheck={false}
        value={text}
        onInput={({target}) => setText(target.value)}
      />
      <div role="status">
        <List
          checks={found.map(({directive, isAllowed, source}) => ({
            name: directive,
            state: isAllowed ? 'ok' : 'bad',
            text: isAllowed ? t('checks.policy_ok', {source: source || NONE}) : t('checks.policy_bad', {source}),
            change: t('checks.policy_change', {directive, origin}),
          }))}
        />
      </div>
    </Panel>
  );
};

/** Says of people who may not see the server's own figures what they may look at instead. */
const isForbidden = (error) => error?.status === 403;

export const View = () => {
  const [round, setRound] = useState(0);
  const answer = useAnswer('/api/v1/checks', {}, {isKept: false});
  const own = useOwnChecks(round);
  const again = () => {
    setRound(round + 1);
    answer.reload();
  };
  return (
    <>
      <Title
        extra={
          <button type="button" class="button" onClick={again}>
            {t('checks.again')}
          </button>
        }
      >
        {t('view.checks')}
      </Title>
      <Panel title={t('checks.browser')}>
        <List checks={own} />
      </Panel>
      {isForbidden(answer.error) ? (
        <Empty title={t('checks.for_operators')} />
      ) : (
        <Answered answer={answer} rows={8}>
          {({checks, request: seen, sites, state, version}) => (
            <>
              <Panel title={t('checks.server', {version})} extra={<StateMark state={state} />}>
                <List checks={checks} />
              </Panel>
              <Request seen={seen} />
              <Panel title={t('checks.sites')}>
                <p class="soft">{t('checks.sites_hint')}</p>
                <Table caption={t('checks.sites')} columns={siteColumns()} rows={sites} keyOf={({site}) => site} />
              </Panel>
            </>
          )}
        </Answered>
      )}
      <Policy />
    </>
  );
};
