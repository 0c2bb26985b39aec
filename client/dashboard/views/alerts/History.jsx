/** What was sent, what waits for another try, and what did not arrive, with its reason. */
import {useState} from 'preact/hooks';
import {get} from '../../app/api.js';
import {ago, moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {sayTrouble} from '../../ui/toast.jsx';
import {Mark} from '../admin/shared.jsx';

export const LIMIT = 50;
const KINDS = {sent: 'good', waiting: 'warn', failed: 'bad'};

const What = ({alert, title, text, phase, link, at}) => (
  <details class="al-message">
    <summary>
      <strong>{title}</strong> {phase === 'over' && <Mark kind="good">{t('history.over')}</Mark>}
      <small>
        <time dateTime={at}>{moment(at)}</time>
        {alert && ` · ${alert}`}
      </small>
    </summary>
    <p class="al-text">{text}</p>
    {/^https?:\/\//.test(link) && (
      <p>
        <a href={link} rel="noopener noreferrer">
          {t('history.look')}
        </a>
      </p>
    )}
  </details>
);

const Whom = ({channel, to}) => (
  <div class="al-cell">
    {channel || <span class="soft">{t('history.gone')}</span>}
    {to && to !== channel && <small class="al-below">{to}</small>}
  </div>
);

const Outcome = ({status, answer, tries, next_at: next}) => (
  <div class="al-cell">
    <Mark kind={KINDS[status]}>{t(`history.${status}`)}</Mark>
    {status === 'waiting' && tries > 0 && (
      <small class="al-below">{t('history.again', {count: tries, number: whole(tries), ago: ago(next)})}</small>
    )}
    {answer && <small class={status === 'sent' ? 'al-below' : 'al-below trouble'}>{answer}</small>}
  </div>
);

const columns = () => [
  {name: 'what', title: t('history.what'), show: What},
  {name: 'outcome', title: t('history.outcome'), show: Outcome},
  {name: 'whom', title: t('history.whom'), show: Whom},
];

/** `first` is the newest part: {deliveries, before}. */
export const History = ({base, first}) => {
  const [more, setMore] = useState({deliveries: [], before: first.before});
  const [isBusy, setBusy] = useState(false);
  const load = async () => {
    setBusy(true);
    try {
      const found = await get(`${base}/alerts/history`, {limit: LIMIT, before: more.before});
      setMore({deliveries: [...more.deliveries, ...found.deliveries], before: found.before});
    } catch (error) {
      sayTrouble(error);
    }
    setBusy(false);
  };
  const rows = [...first.deliveries, ...more.deliveries];
  return (
    <Panel title={t('history.title')}>
      <p class="soft">{t('history.lead')}</p>
      {rows.length ? (
        <Table caption={t('history.title')} columns={columns()} rows={rows} keyOf={({id}) => id} />
      ) : (
        <Empty title={t('history.none')} hint={t('history.none_hint')} />
      )}
      {more.before && (
        <p class="actions">
          <button type="button" class="button" aria-disabled={isBusy} onClick={load}>
            {t('audit.more')}
          </button>
        </p>
      )}
    </Panel>
  );
};
