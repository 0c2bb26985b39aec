/** What stands above a printed page: whose numbers these are, of which days, compared with what, and filtered how. */
import {Written} from '../ui/filters/Written.jsx';
import {dayIn, rangeOf} from '../ui/period/days.js';
import {daysText} from '../ui/period/text.js';
import {moment} from './format.js';
import {hasText, t} from './i18n.js';
import {useQuestion} from './question.js';
import {useSession} from './session.js';
import {useWeekStart} from './week.js';
import {useZone} from './zone.js';

const named = (period) => (hasText(`period.${period}`) ? t(`period.${period}`) : '');

const periodText = (period, today, weekStart) => {
  const range = rangeOf(period, today, weekStart);
  const days = range ? daysText(range) : period;
  return [named(period), range || !named(period) ? days : ''].filter(Boolean).join(': ');
};

const comparedText = (compare, today, weekStart) =>
  hasText(`compare.${compare}`) ? t(`compare.${compare}`) : periodText(compare, today, weekStart);

const Asked = ({question, zone}) => {
  const weekStart = useWeekStart();
  const today = dayIn(zone);
  const {period, compare, segment, filters} = question;
  return (
    <>
      <span>
        {periodText(period, today, weekStart)} ({zone})
      </span>
      {compare && (
        <span>
          {t('compare.title')}: {comparedText(compare, today, weekStart)}
        </span>
      )}
      {segment && (
        <span>
          {t('segment.title')} <strong>{segment}</strong>
        </span>
      )}
      {filters.map((filter, place) => (
        <span key={place}>
          <Written filter={filter} />
        </span>
      ))}
    </>
  );
};

/** `isPlain`: the view knows no days and filters. */
export const PrintedHead = ({place, isPlain}) => {
  const question = useQuestion();
  const {sites} = useSession();
  const chosenZone = useZone();
  const site = sites.find(({name, aliases}) => name === place.site || aliases?.includes(place.site));
  const zone = chosenZone || site?.timezone || 'UTC';
  return (
    <div class="printed">
      <strong>{place.site}</strong>
      {!isPlain && <Asked question={question} zone={zone} />}
      <span class="soft">
        {t('about.as_of')}: {moment(Date.now(), zone)}
      </span>
    </div>
  );
};
