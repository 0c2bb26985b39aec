/** Heat as tables, for who does not see the picture; and the elements that were clicked. */
import {useAnswer} from '../../app/answers.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Badge} from '../sessions/parts.jsx';
import {selectorOf} from '../sessions/story.js';
import {bandsOf, heightOf, spotsOf} from './heat.js';

const SPOTS = 15;
const ELEMENTS = 30;
const px = (value) => `${whole(value)} px`;

const SpotButton = ({spot, isChosen, onSpot}) => (
  <button
    type="button"
    class="g-link"
    aria-pressed={isChosen}
    aria-label={t('heat.spot_at', {x: percent(spot.x, 0), y: px(spot.y)})}
    onClick={() => onSpot(spot.near)}
  >
    {px(spot.y)}
  </button>
);

const spotColumns = (near, onSpot) => [
  {
    name: 'y',
    title: t('heat.place_y'),
    isNumber: true,
    show: (spot) => (onSpot ? <SpotButton spot={spot} isChosen={spot.near === near} onSpot={onSpot} /> : px(spot.y)),
  },
  {name: 'x', title: t('heat.place_x'), isNumber: true, show: ({x}) => percent(x, 0)},
  {name: 'times', title: t('heat.times'), isNumber: true, show: ({times}) => whole(times)},
  {name: 'share', title: t('heat.share'), isNumber: true, show: ({share}) => percent(share)},
];

const bandColumns = () => [
  {name: 'top', title: t('heat.depth'), isNumber: true, show: ({top}) => px(top)},
  {name: 'share', title: t('heat.reached'), isNumber: true, show: ({share}) => percent(share)},
];

export const HeatTable = ({heat, near, onSpot}) => {
  const isDepth = heat.kind === 'scroll';
  const title = t(isDepth ? 'heat.reach' : 'heat.spots');
  const rows = isDepth ? bandsOf(heat, heightOf(heat)) : spotsOf(heat, SPOTS);
  return (
    <Panel title={title}>
      <Table
        caption={title}
        columns={isDepth ? bandColumns() : spotColumns(near, onSpot)}
        rows={rows}
        keyOf={({x = '', y = '', top = ''}) => `${x} ${y} ${top}`}
      />
    </Panel>
  );
};

const Sessions = ({ids}) =>
  ids?.length ? (
    <a class="nowrap" href={toView('sessions', {ids: ids.join(',')})}>
      {t('heat.session_count', {count: ids.length})}
    </a>
  ) : null;

const Marked = ({count, kind}) => (count ? <Badge kind={kind}>{whole(count)}</Badge> : '0');

const elementColumns = () => [
  {
    name: 'element',
    title: t('heat.element'),
    show: ({tag, id, classes}) => <code>{selectorOf({tag, id, class: classes}) || '–'}</code>,
  },
  {name: 'text', title: t('heat.text'), show: ({text}) => <span class="address-text">{text}</span>},
  {name: 'clicks', title: t('heat.clicks'), isNumber: true, show: ({clicks}) => whole(clicks)},
  {name: 'rage', title: t('heat.rage'), isNumber: true, show: ({rage}) => <Marked count={rage} kind="warn" />},
  {name: 'dead', title: t('heat.dead'), isNumber: true, show: ({dead}) => <Marked count={dead} />},
  {name: 'visitors', title: t('heat.visitors'), isNumber: true, show: ({visitors}) => whole(visitors)},
  {name: 'sessions', title: t('heat.sessions'), show: ({sessions}) => <Sessions ids={sessions} />},
];

/** The elements of a page that were clicked in the days of the question, those with trouble first. */
export const Elements = ({url, viewport, site}) => {
  const answer = useAnswer('/api/v1/clicks', toReport(useQuestion(), {url, viewport, limit: ELEMENTS}));
  return (
    <Panel title={t('heat.elements')}>
      <Answered answer={answer} rows={5}>
        {({spots}) =>
          spots.length ? (
            <Table
              caption={t('heat.elements')}
              columns={elementColumns()}
              rows={spots}
              keyOf={({tag, id, classes, text}) => [tag, id, classes, text].join(' ')}
            />
          ) : (
            <Empty title={t('heat.elements_empty')} hint={t('heat.elements_hint', {site})} />
          )
        }
      </Answered>
    </Panel>
  );
};
