/** All values of a dimension in a dialog: searched, sorted by any number, page by page. */
import {useEffect, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {get} from '../../app/api.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toQuery} from '../../app/question.js';
import {Dialog} from '../../ui/dialog.jsx';
import {dimensionName, isCoded} from '../../ui/filters/names.js';
import {usePaused} from '../../ui/filters/ValuesField.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {sayTrouble} from '../../ui/toast.jsx';
import {Exports} from './Exports.jsx';
import {SortedTable} from './SortedTable.jsx';
import {allMetricsOf} from './asked.js';
import {within} from './ValueList.jsx';

const AT_ONCE = 50;
const ALL = 1000;

/** What is searched by its name in this language is asked for as a whole, and searched here. */
const askedOf = ({question, list, dimension, metrics, text, sort}) => {
  const isHere = isCoded(dimension);
  const search = text && !isHere ? [{operator: 'contains', dimension, values: [text]}] : [];
  const asked = within(question, {filters: [...(list.filters ?? []), ...search]});
  return toQuery(asked, {
    dimensions: dimension,
    metrics: metrics.join(','),
    order_by: `${sort.name}:${sort.isUp ? 'asc' : 'desc'}`,
    limit: isHere ? ALL : AT_ONCE,
  });
};

/** Returns the rows so far, and how to get more; a new question begins anew. */
const usePages = (asked) => {
  const answer = useAnswer('/api/v1/stats/query', asked, {isKept: false});
  const [later, setLater] = useState({of: null, rows: [], cursor: null});
  const isLater = later.of === answer.data && answer.data;
  const cursor = isLater ? later.cursor : answer.data?.cursor;
  const more = async () => {
    try {
      const next = await get('/api/v1/stats/query', {...asked, cursor});
      setLater({of: answer.data, rows: [...(isLater ? later.rows : []), ...next.rows], cursor: next.cursor});
    } catch (error) {
      sayTrouble(error);
    }
  };
  return {answer, rows: [...(answer.data?.rows ?? []), ...(isLater ? later.rows : [])], more: cursor && more};
};

export const AllRows = ({list, question, site, dimension, itemOf, isChosen, onPick, onClose}) => {
  const metrics = list.metrics ?? allMetricsOf(dimension, site);
  const [text, setText] = useState('');
  const [sort, setSort] = useState({name: metrics[0], isUp: false});
  const searched = usePaused(text.trim());
  const asked = askedOf({question, list, dimension, metrics, text: searched, sort});
  const {answer, rows, more} = usePages(asked);
  const small = searched.toLowerCase();
  const shown = isCoded(dimension)
    ? rows.filter((row) => `${itemOf(row).name} ${itemOf(row).value}`.toLowerCase().includes(small))
    : rows;
  useEffect(() => {
    document.querySelector('dialog[open] input[type=search]')?.focus();
  }, []);
  return (
    <Dialog title={dimensionName(dimension)} onClose={onClose} isWide>
      <div class="all-tools">
        <input
          type="search"
          aria-label={t('list.search', {name: dimensionName(dimension)})}
          placeholder={t('list.search', {name: dimensionName(dimension)})}
          value={text}
          onInput={({target}) => setText(target.value)}
        />
        <Exports asked={asked} name={dimension} />
      </div>
      <Answered answer={answer} rows={10}>
        {(data) => (
          <>
            <p class="soft" role="status">
              {t('list.rows', {
                shown: whole(shown.length),
                count: data.meta.rows_in_all,
                all: whole(data.meta.rows_in_all),
              })}
            </p>
            {shown.length === 0 ? (
              <Empty title={t('empty.search')} />
            ) : (
              <SortedTable
                {...{dimension, metrics, rows: shown, itemOf, isChosen, sort, onSort: setSort}}
                onPick={
                  onPick &&
                  ((value) => {
                    onPick(value);
                    onClose();
                  })
                }
              />
            )}
            {more && (
              <button type="button" class="button" onClick={more}>
                {t('list.next')}
              </button>
            )}
          </>
        )}
      </Answered>
    </Dialog>
  );
};
