/** Traffic quality: people and robots, who the robots are, and what was lost on its way. */
import {useAnswer} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {reportPeriod, toQuery, useQuestion} from '../../app/question.js';
import {may} from '../../app/session.js';
import {Title} from '../../ui/panel.jsx';
import {Arrivals} from './Arrivals.jsx';
import {Crawlers} from './Crawlers.jsx';
import {Reasons} from './Reasons.jsx';
import {Verdicts} from './Verdicts.jsx';
import {Who} from './Who.jsx';

const PAGES = 20;

export const View = ({place}) => {
  const question = useQuestion();
  const {site} = question;
  const period = reportPeriod(question);
  const {date_range} = toQuery(question);
  const crawler = place.params.get('crawler') ?? '';
  const isAi = place.params.get('robots') === 'ai';
  const kinds = useAnswer('/api/v1/stats/query', {site, date_range, dimensions: 'kind', metrics: 'events'});
  const robots = useAnswer('/api/v1/quality/robots', {site, period, crawler, ai: isAi || '', limit: PAGES});
  const isFiltered = question.filters.length > 0 || question.segment;
  return (
    <>
      <Title>{t('view.quality')}</Title>
      {isFiltered && <p class="g-note g-notice">{t('quality.unfiltered')}</p>}
      <Who kinds={kinds} robots={robots} />
      <Arrivals site={site} period={period} />
      <Reasons robots={robots} />
      {may('visitors', site) && <Verdicts place={place} period={period} />}
      <Crawlers robots={robots} site={site} range={date_range} crawler={crawler} isAi={isAi} />
    </>
  );
};
