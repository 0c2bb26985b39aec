/** Goals: who reached them, and which part of the visitors that is. */
import {useEffect} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {toReport} from '../../app/question.js';
import {may} from '../../app/session.js';
import {Answered, Empty} from '../../ui/states.jsx';
import {Exports} from './Exports.jsx';
import {listPicture} from './picture.js';

const Rows = ({goals, isEmbedded}) => {
  const highest = Math.max(1, ...goals.map(({visitors}) => visitors));
  return (
    <table class="bars">
      <caption class="unseen">{t('list.goals')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('goal.name')}</th>
          <th scope="col" class="number">
            {t('metric.visitors')}
          </th>
          <th scope="col" class="number">
            {t('metric.conversions')}
          </th>
          <th scope="col" class="number">
            {t('goal.rate')}
          </th>
        </tr>
      </thead>
      <tbody>
        {goals.map(({id, name, visitors, conversions, rate}) => (
          <tr key={id}>
            <th scope="row">
              <span class="bar" style={{width: `${(100 * visitors) / highest}%`}} />
              <span class="bar-label">
                {isEmbedded ? (
                  <span class="bar-pick">{name}</span>
                ) : (
                  <a class="bar-pick" href={toView('goals', {id})}>
                    {name}
                  </a>
                )}
              </span>
            </th>
            <td class="number">{whole(visitors)}</td>
            <td class="number">{whole(conversions)}</td>
            <td class="number">{percent(rate)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const pictureOf = (goals, question) =>
  listPicture({
    title: t('list.goals'),
    columns: [t('metric.visitors'), t('goal.rate')],
    rows: goals.map(({name, visitors, rate}) => ({
      name,
      part: visitors / Math.max(1, ...goals.map((one) => one.visitors)),
      values: [whole(visitors), percent(rate)],
    })),
    question,
  });

export const GoalList = ({question, isEmbedded, setExtra}) => {
  const answer = useAnswer('/api/v1/stats/goals', toReport(question));
  const goals = answer.data?.goals ?? [];
  useEffect(() => {
    setExtra(goals.length ? <Exports name="goals" picture={() => pictureOf(goals, question)} /> : null);
    return () => setExtra(null);
  }, [answer.data]);
  return (
    <Answered answer={answer} rows={8}>
      {() =>
        goals.length ? (
          <Rows goals={goals} isEmbedded={isEmbedded} />
        ) : (
          <Empty title={t('empty.goals')} hint={t('empty.goals_hint')}>
            {may('manage', question.site) && !isEmbedded && (
              <a class="button" href={toView('goals')}>
                {t('goal.make')}
              </a>
            )}
          </Empty>
        )
      }
    </Answered>
  );
};
