/** Says how honest the numbers are: sums of days, what was left out, whose days they are. */
import {moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Popover} from '../../ui/popover.jsx';
import {daysText} from '../../ui/period/text.js';

const Fact = ({name, children}) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

export const About = ({meta}) => {
  const {from, to, timezone, totals_visitors_are: are, suppressed, compared} = meta;
  return (
    <Popover title={t('about.title')} icon="info" buttonClass="button quiet" class="about">
      {() => (
        <>
          <p class="popover-title">{t('about.title')}</p>
          <dl class="about-facts">
            <Fact name={t('about.days')}>
              {daysText([from, to])} ({timezone})
            </Fact>
            {compared && <Fact name={t('about.compared')}>{daysText([compared.from, compared.to])}</Fact>}
            <Fact name={t('metric.visitors')}>{t(`about.${are}`)}</Fact>
            {suppressed.map(({metric, reason}) => (
              <Fact key={metric} name={t('about.left_out', {name: t(`metric.${metric}`)})}>
                {reason}
              </Fact>
            ))}
            <Fact name={t('metric.bounce_rate')}>{t('about.bounce_rate')}</Fact>
            <Fact name={t('metric.engaged')}>{t('about.engaged')}</Fact>
            <Fact name={t('about.as_of')}>{moment(meta.as_of, timezone)}</Fact>
          </dl>
        </>
      )}
    </Popover>
  );
};
