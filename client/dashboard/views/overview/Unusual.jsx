/** What was unlike what is usual: asked for once the numbers are there, told in one quiet line. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {remember, remembered} from '../../app/kept.js';
import {toView} from '../../app/place.js';
import {Icon} from '../../ui/icon.jsx';
import {countDays, dayIn} from '../../ui/period/days.js';
import {reasonText, sentence} from '../anomalies/words.js';

const KEY = 'vt.unusual.'; // and the site: the last one that somebody has taken note of
const USUAL_DAYS = 90;
const DAYS_MOST = 366;

const PATH = '/api/v1/anomalies';

/** Returns the anomalies of the days that are shown, the newest first: {found, days}; none under filters. */
export const useUnusual = ({meta, question}) => {
  const isWhole = question.filters.length === 0 && !question.segment;
  const back = countDays(meta.from, dayIn(meta.timezone, Date.parse(meta.as_of)));
  const days = back <= USUAL_DAYS ? USUAL_DAYS : DAYS_MOST;
  const {data} = useAnswer(isWhole ? PATH : null, {site: question.site, days});
  if (!isWhole || data?.site === undefined) return {found: [], days};
  const isShown = ({peak, end}) => peak.slice(0, 10) <= meta.to && end.slice(0, 10) >= meta.from;
  return {found: data.anomalies.filter(isShown), days};
};

const Links = ({id, others}) => (
  <>
    {' '}
    <a href={toView('anomalies', {id})}>{t('anomalies.why')}</a>
    {others > 0 && (
      <>
        {' · '}
        <a href={toView('anomalies')}>{t('anomalies.others', {count: others})}</a>
      </>
    )}
  </>
);

/** Says the newest one, and what explains most of it. */
export const UnusualLine = ({unusual: {found, days}, site, isEmbedded}) => {
  const [seen, setSeen] = useState(() => remembered(KEY + site));
  const newest = found[0]?.id === seen ? undefined : found[0];
  const {data: reason} = useAnswer(newest ? `${PATH}/why` : null, {site, days, id: newest?.id});
  if (!newest) return null;
  const because = reason?.anomaly.id === newest.id ? reasonText(reason) : '';
  const close = () => {
    remember(KEY + site, newest.id);
    setSeen(newest.id);
  };
  return (
    <aside class={`unusual-line ${newest.kind}`} aria-label={t('anomalies.legend')}>
      <Icon name="anomalies" size={16} />
      <p>
        {because ? t('anomalies.because', {text: sentence(newest), cause: because}) : sentence(newest)}
        {!isEmbedded && <Links id={newest.id} others={found.length - 1} />}
      </p>
      <button type="button" class="button quiet" aria-label={t('anomalies.dismiss')} onClick={close}>
        <Icon name="close" size={14} />
      </button>
    </aside>
  );
};
