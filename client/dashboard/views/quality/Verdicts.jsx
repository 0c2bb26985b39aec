/** Robots that say nothing of themselves: who was found by what they did, why, and what an owner says to it. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {decimal, percent, whole} from '../../app/format.js';
import {t, textOr} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {may} from '../../app/session.js';
import {fullTime} from '../../ui/chart/times.js';
import {Panel, Tabs} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {BarCell, Tiles} from '../goals/parts.jsx';
import {Overrule} from './Overrule.jsx';

const LEAST = ['robot', 'doubtful'];
const USUAL = 'doubtful';
const PAGE = 25;
const MOST = 1000;
const SHORT_ID = 8;

const Who = ({visitor}) => (
  <a href={toView('visitors', {id: visitor})}>
    <code>{visitor.slice(0, SHORT_ID)}</code>
  </a>
);

const Verdict = ({row: {verdict, by_rules: byRules, overruled_by: by, final: isFinal}}) => (
  <>
    <span class={`verdict ${verdict}`}>{t(`verdicts.${verdict}`)}</span>
    {by !== null && <small class="g-below">{t('verdicts.by', {name: by, verdict: t(`verdicts.${byRules}`)})}</small>}
    {!isFinal && <small class="g-below">{t('verdicts.running')}</small>}
  </>
);

const Weight = ({weight}) => (
  <span class={weight > 0 ? 'weight robot' : 'weight human'}>
    {weight > 0 ? '+' : '−'}
    {decimal(Math.abs(weight), 1)}
  </span>
);

/** The figures stand in the server's words, which are English. */
const Why = ({reasons}) =>
  reasons.length === 0 ? (
    <span class="soft">{t('verdicts.no_reasons')}</span>
  ) : (
    <details>
      <summary>{textOr(`verdicts.reason.${reasons[0].name}`, reasons[0].name)}</summary>
      <ul class="verdict-reasons">
        {reasons.map(({name, weight, text}) => (
          <li key={name}>
            <Weight weight={weight} /> {textOr(`verdicts.reason.${name}`, name)}
            <small class="g-below" lang="en">
              {text}
            </small>
          </li>
        ))}
      </ul>
    </details>
  );

/** What may be said of a visitor, besides what holds. */
const choicesOf = ({verdict, overruled_by: by}) => {
  const words = ['human', 'robot'].filter((word) => word !== verdict);
  return by === null ? words : [...words, 'rules'];
};

const Change = ({row, onChoose}) => (
  <span class="verdict-words">
    {choicesOf(row).map((word) => (
      <button
        key={word}
        type="button"
        class="button"
        aria-label={`${t(`verdicts.say.${word}`)}: ${row.visitor.slice(0, SHORT_ID)}`}
        onClick={() => onChoose(row, word)}
      >
        {t(`verdicts.say.${word}`)}
      </button>
    ))}
  </span>
);

const columnsOf = (onChoose) => [
  {name: 'visitor', title: t('verdicts.visitor'), show: ({visitor}) => <Who visitor={visitor} />},
  {name: 'day', title: t('quality.day'), show: ({day}) => fullTime(day, 'day')},
  {name: 'verdict', title: t('verdicts.verdict'), show: (row) => <Verdict row={row} />},
  {
    name: 'score',
    title: t('verdicts.score'),
    show: ({score}) => <BarCell share={score}>{percent(score, 0)}</BarCell>,
  },
  {name: 'reasons', title: t('verdicts.why'), show: (row) => <Why reasons={row.reasons} />},
  {name: 'views', title: t('metric.views'), isNumber: true, show: ({views}) => whole(views)},
  ...(onChoose ? [{name: 'change', title: t('verdicts.yours'), show: (row) => <Change row={row} onChoose={onChoose} />}] : []), // prettier-ignore
];

const tilesOf = (data) => [
  [t('verdicts.robots'), whole(data.robots)],
  [t('verdicts.doubtful_ones'), whole(data.doubtful)],
  [t('verdicts.overruled'), whole(data.overruled)],
  [t('verdicts.robot_views'), whole(data.robot_views)],
];

const List = ({data, onChoose, onMore}) => (
  <>
    <Tiles tiles={tilesOf(data)} />
    <p class="g-note">{t(`verdicts.setting.${data.behaviour}`)}</p>
    {data.visitors.length ? (
      <Table
        caption={t('verdicts.title')}
        columns={columnsOf(onChoose)}
        rows={data.visitors}
        keyOf={({visitor, day}) => `${visitor} ${day}`}
      />
    ) : (
      <Empty title={t('verdicts.none')} hint={t('verdicts.none_hint')} />
    )}
    {data.more && onMore && (
      <p class="list-more">
        <button type="button" class="button" onClick={onMore}>
          {t('verdicts.more')}
        </button>
      </p>
    )}
    <p class="g-note">{t('verdicts.help')}</p>
  </>
);

export const Verdicts = ({place, period}) => {
  const {site} = place;
  const least = LEAST.find((name) => name === place.params.get('verdict')) ?? USUAL;
  const [limit, setLimit] = useState(PAGE);
  const [asked, setAsked] = useState(null);
  const answer = useAnswer('/api/v1/robots/visitors', {site, period, verdict: least, limit});
  const choose = may('manage', site) ? (row, word) => setAsked({row, word}) : undefined;
  const more = limit < MOST ? () => setLimit(Math.min(MOST, limit * 4)) : undefined;
  return (
    <Panel
      title={t('verdicts.title')}
      extra={
        <Tabs
          label={t('verdicts.which')}
          choices={LEAST.map((name) => [name, t(`verdicts.least.${name}`)])}
          chosen={least}
          onChoose={(name) => go(withParams({verdict: name === USUAL ? null : name}), {replace: true})}
        />
      }
    >
      <Answered answer={answer} rows={4}>
        {(data) => <List data={data} onChoose={choose} onMore={more} />}
      </Answered>
      {asked && (
        <Overrule
          {...asked}
          site={site}
          behaviour={answer.data?.behaviour}
          onDone={answer.reload}
          onClose={() => setAsked(null)}
        />
      )}
    </Panel>
  );
};
