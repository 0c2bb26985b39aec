/** The overview of a site: its numbers, how they went, and what they are made of. */
import {useAnswer} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {printAll} from '../../app/printing.js';
import {toQuery, useQuestion} from '../../app/question.js';
import {getSession} from '../../app/session.js';
import {useZone} from '../../app/zone.js';
import {Icon} from '../../ui/icon.jsx';
import {Title} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';
import {About} from './About.jsx';
import {FirstVisit} from './FirstVisit.jsx';
import {LiveBadge} from './LiveBadge.jsx';
import {MainChart} from './MainChart.jsx';
import {Panels} from './Panels.jsx';
import {Tiles} from './Tiles.jsx';
import {UnusualLine, useUnusual} from './Unusual.jsx';
import {METRICS, intervalOf} from './asked.js';

const isEmpty = ({totals}) => !totals.metrics.visits && !totals.metrics.views;

const siteOf = (name) => getSession().sites.find((site) => site.name === name || site.aliases?.includes(name));

const chosenMetric = (place, data) => {
  const chosen = place.params.get('metric');
  if (METRICS.includes(chosen)) return chosen;
  return data?.totals.metrics.visitors === null ? 'visits' : 'visitors';
};

const Numbers = ({data, chosen, question, site, isEmbedded}) => {
  const unusual = useUnusual({meta: data.meta, question});
  return (
    <>
      <section class="panel overview-main" aria-label={t('overview.numbers')}>
        <Tiles data={data} chosen={chosen} question={question} />
        <MainChart {...{data, chosen, question, site, isEmbedded, unusual}} />
      </section>
      <UnusualLine key={question.site} unusual={unusual} site={question.site} isEmbedded={isEmbedded} />
      <Panels {...{question, site, isEmbedded, meta: data.meta}} />
    </>
  );
};

export const View = ({place}) => {
  const question = useQuestion();
  useZone();
  const site = siteOf(place.site);
  const isEmbedded = place.params.get('embed') === '1';
  const interval = intervalOf(question, site);
  const answer = useAnswer(
    '/api/v1/stats/query',
    toQuery(question, {dimensions: 'time', metrics: METRICS.join(','), interval}),
  );
  const chosen = chosenMetric(place, answer.data);
  const isUnfiltered = question.filters.length === 0 && !question.segment;
  const tools = (
    <div class="title-tools">
      {answer.data && <About meta={answer.data.meta} />}
      <LiveBadge site={place.site} isEmbedded={isEmbedded} />
      {!isEmbedded && (
        <button type="button" class="button quiet unprinted" onClick={printAll}>
          <Icon name="note" size={16} /> {t('overview.print')}
        </button>
      )}
    </div>
  );
  return (
    <>
      <Title extra={tools}>{t('view.overview')}</Title>
      <Answered answer={answer} rows={8}>
        {(data) =>
          isEmpty(data) && isUnfiltered ? (
            <FirstVisit question={question} onVisit={answer.reload} />
          ) : (
            <Numbers {...{data, chosen, question, site, isEmbedded}} />
          )
        }
      </Answered>
    </>
  );
};
