/** Countries on a map. */
import {WorldMap} from '../../map/WorldMap.jsx';
import {useAnswer} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {toQuery} from '../../app/question.js';
import {Answered, Empty} from '../../ui/states.jsx';
import {metricsOf} from './asked.js';
import {pickOf} from './items.js';
import {within} from './ValueList.jsx';

const MOST = 300;

export const MapList = ({list, question, site, isEmbedded}) => {
  const [metric] = metricsOf('country', site);
  const answer = useAnswer(
    '/api/v1/stats/query',
    toQuery({...within(question, list), compare: ''}, {dimensions: 'country', metrics: metric, limit: MOST}),
  );
  return (
    <Answered answer={answer} rows={8}>
      {({rows}) =>
        rows.length ? (
          <WorldMap
            values={Object.fromEntries(rows.map(({dimensions, metrics}) => [dimensions.country, metrics[metric]]))}
            label={t(`metric.${metric}`)}
            onPick={isEmbedded ? undefined : pickOf('country')}
          />
        ) : (
          <Empty title={t('empty.rows')} />
        )
      }
    </Answered>
  );
};
