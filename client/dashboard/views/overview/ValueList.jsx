/** A list of one dimension: its first values, a way to all of them, and to take them along. */
import {useEffect, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {whole} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {useParam} from '../../app/place.js';
import {toQuery} from '../../app/question.js';
import {dimensionName} from '../../ui/filters/names.js';
import {Answered, Empty} from '../../ui/states.jsx';
import {AllRows} from './AllRows.jsx';
import {BarTable} from './BarTable.jsx';
import {Exports} from './Exports.jsx';
import {metricsOf} from './asked.js';
import {chosenOf, itemsOf, pickOf} from './items.js';
import {listPicture, pictureRows} from './picture.js';

const SHOWN = 8;

/** Returns the question with the filters that the list has itself. */
export const within = (question, {filters = []}) => ({...question, filters: [...question.filters, ...filters]});

const Choices = ({choices, chosen, onChoose}) => (
  <select
    class="list-choice"
    aria-label={t('list.choose')}
    value={chosen}
    onChange={({target}) => onChoose(target.value)}
  >
    {choices.map((name) => (
      <option key={name} value={name}>
        {dimensionName(name)}
      </option>
    ))}
  </select>
);

const NoRows = ({list}) => {
  const name = hasText(`empty.${list.empty}`) ? list.empty : 'rows';
  return <Empty title={t(`empty.${name}`)} hint={hasText(`empty.${name}_hint`) ? t(`empty.${name}_hint`) : ''} />;
};

const More = ({count, onClick}) =>
  count > SHOWN ? (
    <button type="button" class="button quiet list-more unprinted" onClick={onClick}>
      {t('list.all', {count: whole(count)})}
    </button>
  ) : null;

/** `list` is one of lists.js; `setExtra` puts something at the end of the panel's first line. */
export const ValueList = ({list, question, site, isEmbedded, setExtra}) => {
  const [wanted, setChosen] = useParam(list.name, list.choices?.[0]);
  const chosen = list.choices?.includes(wanted) ? wanted : list.choices?.[0];
  const [isOpen, setOpen] = useState(false);
  const dimension = list.dimension ?? chosen;
  const metrics = list.metrics ?? metricsOf(dimension, site);
  const asked = toQuery(within(question, list), {dimensions: dimension, metrics: metrics.join(',')});
  const answer = useAnswer('/api/v1/stats/query', {...asked, limit: SHOWN});
  const data = answer.data?.query.dimensions[0] === dimension ? answer.data : undefined;
  const rows = data?.rows ?? [];
  const itemOf = itemsOf(dimension, site);
  useEffect(() => {
    const picture = () =>
      listPicture({
        title: dimensionName(dimension),
        columns: metrics.map((name) => t(`metric.${name}`)),
        rows: pictureRows(rows, metrics, (row) => itemOf(row).name),
        question,
      });
    setExtra(rows.length ? <Exports asked={asked} name={dimension} picture={picture} /> : null);
  }, [data]);
  useEffect(() => () => setExtra(null), []);
  const shared = {dimension, itemOf, isChosen: chosenOf(question, dimension), onPick: isEmbedded ? null : pickOf(dimension, list.filters)}; // prettier-ignore
  return (
    <>
      {list.choices && <Choices choices={list.choices} chosen={chosen} onChoose={setChosen} />}
      <Answered answer={{...answer, data}} rows={SHOWN}>
        {() =>
          rows.length === 0 ? (
            <NoRows list={list} />
          ) : (
            <>
              <BarTable caption={dimensionName(dimension)} rows={rows} metrics={metrics} {...shared} />
              <More count={data.meta.rows_in_all} onClick={() => setOpen(true)} />
            </>
          )
        }
      </Answered>
      {isOpen && <AllRows {...{list, question, site, ...shared}} onClose={() => setOpen(false)} />}
    </>
  );
};
