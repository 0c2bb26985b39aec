/** All funnels of a site. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty, Skeleton, wordsOf} from '../../ui/states.jsx';
import {mayChange} from '../goals/parts.jsx';
import {FunnelDialog} from './FunnelDialog.jsx';
import {countOf} from './numbers.js';
import {stepName, windowOf} from './steps.js';

const Reached = ({answer}) => {
  const {data, error} = answer;
  if (error) return <p class="trouble">{wordsOf(error).filter(Boolean).join(' ')}</p>;
  if (!data) return <Skeleton rows={1} />;
  const first = data.steps[0];
  const end = data.steps.at(-1);
  return (
    <p class="funnel-sum">
      <strong>{percent(end.of_first, 2)}</strong>{' '}
      {t(`funnels.sum.${data.follows}`, {end: whole(countOf(data, end)), first: whole(countOf(data, first))})}
    </p>
  );
};

const Card = ({funnel, question}) => {
  const answer = useAnswer('/api/v1/stats/funnel', toReport(question, {funnel: funnel.id}));
  return (
    <Panel
      title={funnel.name}
      class="funnel-card"
      extra={
        <a href={toView('funnels', {id: funnel.id})} aria-label={t('funnels.open_one', {name: funnel.name})}>
          {t('funnels.open')}
        </a>
      }
    >
      <ol class="g-ways">
        {funnel.steps.map((step, place) => (
          <li key={place}>{stepName(step)}</li>
        ))}
      </ol>
      <Reached answer={answer} />
      <p class="g-note">
        {t('funnels.steps_count', {count: funnel.steps.length})} · {windowOf(funnel)} ·{' '}
        {t(`funnels.order.${funnel.order}`)}
      </p>
    </Panel>
  );
};

const NoFunnels = ({isOwner, onMake}) => (
  <Empty title={t('funnels.none')} hint={isOwner ? t('funnels.none_hint') : t('funnels.none_hint_viewer')}>
    {isOwner && <MakeButton onMake={onMake} />}
  </Empty>
);

const MakeButton = ({onMake}) => (
  <button type="button" class="button primary" onClick={onMake}>
    <Icon name="plus" /> {t('funnels.make')}
  </button>
);

export const FunnelList = ({place}) => {
  const question = useQuestion();
  const answer = useAnswer(at`/api/v1/sites/${place.site}/funnels`, null, {isKept: false});
  const [isMaking, setMaking] = useState(false);
  const isOwner = mayChange(place);
  return (
    <>
      <Title extra={isOwner && <MakeButton onMake={() => setMaking(true)} />}>{t('view.funnels')}</Title>
      <Answered answer={answer} rows={6}>
        {({funnels}) =>
          funnels.length ? (
            <div class="grid">
              {funnels.map((funnel) => (
                <Card key={funnel.id} funnel={funnel} question={question} />
              ))}
            </div>
          ) : (
            <NoFunnels isOwner={isOwner} onMake={() => setMaking(true)} />
          )
        }
      </Answered>
      {isMaking && (
        <FunnelDialog
          place={place}
          funnel={null}
          onClose={() => setMaking(false)}
          onDone={(made) => go(toView('funnels', {id: made.id}))}
        />
      )}
    </>
  );
};
