/** Conversions of a goal over time, its rate, or its revenue in one currency. */
import {t} from '../../app/i18n.js';
import {useParam} from '../../app/place.js';
import {Chart} from '../../ui/chart/Chart.jsx';
import {Tabs} from '../../ui/panel.jsx';

const currenciesOf = (series) => [...new Set(series.flatMap(({revenue}) => revenue.map(({currency}) => currency)))];

/** Returns the lines to choose from: [name, text, value of a point, how it is written]. */
const choicesOf = (series) => [
  ['conversions', t('metric.conversions'), (point) => point.conversions, 'conversions'],
  ['visitors', t('metric.visitors'), (point) => point.visitors, 'visitors'],
  ['rate', t('metric.conversion_rate'), (point) => point.rate ?? 0, 'conversion_rate'],
  ...currenciesOf(series).map((currency) => [
    `revenue ${currency}`,
    t('goals.revenue_in', {currency: currency || '–'}),
    (point) => point.revenue.find((each) => each.currency === currency)?.sum ?? 0,
    'revenue',
  ]),
];

export const OverTime = ({series, interval}) => {
  const [shown, setShown] = useParam('line', 'conversions');
  if (!series.length) return null;
  const choices = choicesOf(series);
  const [name, label, valueOf, kind] = choices.find(([each]) => each === shown) ?? choices[0];
  return (
    <>
      <Tabs
        label={t('goals.line')}
        choices={choices.map(([each, text]) => [each, text])}
        chosen={name}
        onChoose={setShown}
      />
      <Chart
        label={t('goals.chart', {name: label})}
        points={series.map((point) => ({time: point.start, values: {[name]: valueOf(point)}}))}
        series={[{name, label, kind}]}
        interval={interval}
        height={220}
      />
    </>
  );
};
