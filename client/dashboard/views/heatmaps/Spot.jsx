/** What was clicked around one place of a page, and the sessions that clicked there. */
import {useAnswer} from '../../app/answers.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Icon} from '../../ui/icon.jsx';
import {Answered} from '../../ui/states.jsx';
import {selectorOf} from '../sessions/story.js';

const ELEMENTS = 100;
const NAMED = 3;
const MOST_SESSIONS = 100; // the list of sessions takes so many ids

const nameOf = ({text, tag, id, classes}) => text || selectorOf({tag, id, class: classes}) || '–';

/** Returns ids of the visits of all these elements, those of the first ones first. */
const sessionsOf = (elements) => [...new Set(elements.flatMap(({sessions}) => sessions ?? []))].slice(0, MOST_SESSIONS);

const Found = ({found: {clicks, rage, dead, spots}}) => {
  if (!clicks) return <span>{t('heat.spot_none')}</span>;
  const ids = sessionsOf(spots).join(',');
  const trouble = [rage && t('heat.spot_rage', {count: rage, number: whole(rage)}), dead && t('heat.spot_dead', {count: dead, number: whole(dead)})]; // prettier-ignore
  return (
    <>
      <span>
        <strong>{t('heat.spot_clicks', {count: clicks, number: whole(clicks)})}</strong>{' '}
        {trouble.filter(Boolean).join(', ')}
      </span>
      <span class="soft address-text">{spots.slice(0, NAMED).map(nameOf).join(' · ')}</span>
      {ids && (
        <>
          <a href={toView('sessions', {ids})}>{t('heat.spot_sessions')}</a>
          <a href={toView('sessions', {ids, with: 'recording'})}>{t('heat.spot_recordings')}</a>
        </>
      )}
    </>
  );
};

/** `near` is a cell as COLUMN,ROW. */
export const Spot = ({heat: {url, viewport}, near, onClose}) => {
  const answer = useAnswer('/api/v1/clicks', toReport(useQuestion(), {url, viewport, near, limit: ELEMENTS}));
  return (
    <div class="heat-spot">
      <div class="heat-spot-found" role="status">
        <Answered answer={answer} rows={1}>
          {(found) => <Found found={found} />}
        </Answered>
      </div>
      <button type="button" class="button quiet" aria-label={t('heat.spot_close')} onClick={onClose}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
};
