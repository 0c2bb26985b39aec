/** A table of all values whose columns sort it. */
import {metric} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {dimensionName} from '../../ui/filters/names.js';
import {Change} from './Change.jsx';

const Heading = ({name, sort, onSort}) => {
  const isSorted = sort.name === name;
  const direction = sort.isUp ? 'ascending' : 'descending';
  return (
    <th scope="col" class="number" aria-sort={isSorted ? direction : undefined}>
      <button type="button" class="sort" onClick={() => onSort({name, isUp: isSorted && !sort.isUp})}>
        {t(`metric.${name}`)}
        <span aria-hidden="true">{isSorted ? (sort.isUp ? ' ↑' : ' ↓') : ''}</span>
      </button>
    </th>
  );
};

/** `sort` is {name, isUp}. */
export const SortedTable = ({dimension, metrics, rows, itemOf, isChosen, onPick, sort, onSort}) => (
  <div class="table-box" tabIndex={0} role="region" aria-label={dimensionName(dimension)}>
    <table class="sorted">
      <caption class="unseen">{dimensionName(dimension)}</caption>
      <thead>
        <tr>
          <th scope="col">{dimensionName(dimension)}</th>
          {metrics.map((name) => (
            <Heading key={name} name={name} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const {value, name, mark} = itemOf(row);
          return (
            <tr key={value}>
              <th scope="row">
                {onPick ? (
                  <button type="button" class="bar-pick" aria-pressed={isChosen(value)} onClick={() => onPick(value)}>
                    {mark} {name}
                  </button>
                ) : (
                  name
                )}
              </th>
              {metrics.map((one) => (
                <td key={one} class="number">
                  {metric(one, row.metrics[one])}
                  {row.change && one === sort.name && (
                    <>
                      {' '}
                      <Change name={one} percent={row.change[one]?.percent} />
                    </>
                  )}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  </div>
);
