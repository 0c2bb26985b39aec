/** Suggests the values that a site has of a dimension, for a field whose `list` is `id`. */
import {useAnswer} from '../../app/answers.js';
import {toQuery} from '../../app/question.js';

const MOST = 100;

export const Known = ({id, dimension, question}) => {
  const {site, date_range} = toQuery(question);
  const {data} = useAnswer('/api/v1/stats/query', {site, date_range, dimensions: dimension, limit: MOST});
  return (
    <datalist id={id}>
      {(data?.rows ?? []).map(({dimensions}) => (
        <option key={dimensions[dimension]} value={dimensions[dimension]} />
      ))}
    </datalist>
  );
};
