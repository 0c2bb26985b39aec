/** Values with bars behind them: the longest is that of the highest number. A click filters by the value. */
import {metric} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Icon} from '../../ui/icon.jsx';
import {dimensionName} from '../../ui/filters/names.js';
import {Change} from './Change.jsx';

const External = ({href}) =>
  /^https?:\/\//.test(href ?? '') ? (
    <a
      class="outside"
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={t('list.open', {address: href})}
    >
      <Icon name="outside" size={14} />
    </a>
  ) : null;

/** Counts grow with their bar; where the first metric is unknown there is none. */
const part = (row, highest, name) => (highest ? (row.metrics[name] ?? 0) / highest : 0);

/** On narrow screens the change has the place of the second number. */
const numberClass = (place, hasChange) => (place && hasChange ? 'number minor' : 'number');

const Label = ({name, mark, isChosen, onPick}) =>
  onPick ? (
    <button type="button" class="bar-pick" aria-pressed={isChosen} title={name} onClick={onPick}>
      {mark && <span aria-hidden="true">{mark} </span>}
      {name}
    </button>
  ) : (
    <span class="bar-pick" title={name}>
      {mark && <span aria-hidden="true">{mark} </span>}
      {name}
    </span>
  );

/**
 * rows     those of a query by one dimension
 * metrics  the columns; bars are of the first
 * itemOf   (row) → {value, name, mark?, href?}
 * onPick   (value): none where rows are not clicked; `isChosen` (value) says which ones hold already
 */
export const BarTable = ({caption, dimension, rows, metrics, itemOf, onPick, isChosen}) => {
  const highest = Math.max(...rows.map((row) => row.metrics[metrics[0]] ?? 0), 0);
  const hasChange = rows.some((row) => row.change);
  return (
    <table class="bars">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{dimensionName(dimension)}</th>
          {metrics.map((name, place) => (
            <th key={name} scope="col" class={numberClass(place, hasChange)}>
              {t(`metric.${name}`)}
            </th>
          ))}
          {hasChange && (
            <th scope="col" class="number">
              {t('list.change')}
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const {value, name, mark, href} = itemOf(row);
          return (
            <tr key={value}>
              <th scope="row">
                <span class="bar" style={{width: `${100 * part(row, highest, metrics[0])}%`}} />
                <span class="bar-label">
                  <Label
                    name={name}
                    mark={mark}
                    isChosen={isChosen?.(value)}
                    onPick={onPick && (() => onPick(value))}
                  />
                  <External href={href} />
                </span>
              </th>
              {metrics.map((one, place) => (
                <td key={one} class={numberClass(place, hasChange)}>
                  {metric(one, row.metrics[one])}
                </td>
              ))}
              {hasChange && (
                <td class="number">
                  <Change name={metrics[0]} percent={row.change?.[metrics[0]]?.percent} />
                </td>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
};
