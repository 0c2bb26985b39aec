/** Heatmaps: where visitors click, move and scroll on a page, over the page as it was recorded. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView, useParam, withParams} from '../../app/place.js';
import {writeFilter} from '../../app/filters.js';
import {may} from '../../app/session.js';
import {Field} from '../../ui/form.jsx';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {shortAddress} from '../sessions/story.js';
import {Picture} from './Picture.jsx';
import {Spot} from './Spot.jsx';
import {Elements, HeatTable} from './Tables.jsx';

const VIEWPORTS = ['desktop', 'tablet', 'mobile'];
const KINDS = ['click', 'move', 'scroll'];
const PAGES = 300;

const chosenOf = (choices, value) => (choices.includes(value) ? value : choices[0]);

const Choices = ({name, choices, chosen}) => (
  <Tabs
    label={t(`heat.${name}`)}
    choices={choices.map((value) => [value, t(`heat.${name}.${value}`)])}
    chosen={chosen}
    onChoose={(value) => go(withParams({[name]: value, near: null}))}
  />
);

const Legend = ({kind}) => (
  <p class="heat-legend">
    <span class={kind === 'scroll' ? 'heat-scale depth' : 'heat-scale'} aria-hidden="true" />
    <small>{t(kind === 'scroll' ? 'heat.legend_scroll' : 'heat.legend')}</small>
  </p>
);

/** Links to the sessions that saw the page; its path is what filters know. */
const Links = ({url, site}) => {
  const f = [writeFilter({operator: 'is', dimension: 'page', values: [new URL(url).pathname]})];
  if (!may('visitors', site)) return null;
  return (
    <p class="heat-links">
      <a href={toView('sessions', {f})}>{t('heat.see_sessions')}</a>
      <a href={toView('sessions', {f, with: 'recording'})}>{t('heat.see_recordings')}</a>
    </p>
  );
};

const Hint = ({heat, mayShow}) => {
  if (!mayShow) return <p class="soft">{t('heat.no_rights')}</p>;
  return heat.snapshot ? null : <p class="soft">{t('heat.no_snapshot')}</p>;
};

const Heat = ({heat, site}) => {
  const [opacity, setOpacity] = useState(0.7);
  const [near, setNear] = useParam('near');
  const mayShow = may('visitors', site);
  const spot = heat.kind === 'click' ? {near, onSpot: setNear} : {};
  if (!heat.cells.length) return <Empty title={t('heat.empty_page')} hint={t('heat.empty_page_hint')} />;
  return (
    <div class="heat-parts">
      <Panel title={shortAddress(heat.url)} extra={<Legend kind={heat.kind} />}>
        <Field
          label={t('heat.opacity')}
          type="range"
          min="0.1"
          max="1"
          step="0.05"
          value={opacity}
          onInput={({target}) => setOpacity(Number(target.value))}
        />
        <Hint heat={heat} mayShow={mayShow} />
        {spot.near ? (
          <Spot heat={heat} near={near} onClose={() => setNear('')} />
        ) : (
          spot.onSpot && <p class="soft">{t('heat.spot_hint')}</p>
        )}
        <Picture {...{heat, site, opacity, mayShow}} {...spot} />
        <p class="soft">
          {t('heat.total', {count: heat.total === 1 ? 1 : whole(heat.total)})} {t('heat.all_days')}
        </p>
        <Links url={heat.url} site={site} />
      </Panel>
      <HeatTable heat={heat} {...spot} />
    </div>
  );
};

const PageChoice = ({pages, url}) => (
  <Field
    label={t('heat.page')}
    type="select"
    value={url}
    onChange={({target}) => go(withParams({page: target.value, near: null}))}
  >
    {pages.map((page) => (
      <option key={page.url} value={page.url}>
        {shortAddress(page.url)} ({whole(page.reports)})
      </option>
    ))}
  </Field>
);

const Page = ({pages, place}) => {
  const {params, site} = place;
  const url = chosenOf(
    pages.map((page) => page.url),
    params.get('page'),
  );
  const viewport = chosenOf(VIEWPORTS, params.get('viewport'));
  const kind = chosenOf(KINDS, params.get('kind'));
  const answer = useAnswer('/api/v1/heatmap', {site, url, viewport, kind});
  return (
    <>
      <div class="heat-choices">
        <PageChoice pages={pages} url={url} />
        <Choices name="viewport" choices={VIEWPORTS} chosen={viewport} />
        <Choices name="kind" choices={KINDS} chosen={kind} />
      </div>
      <Answered answer={answer} rows={8}>
        {(heat) => <Heat heat={heat} site={site} />}
      </Answered>
      <Elements url={url} viewport={viewport} site={site} />
    </>
  );
};

export const View = ({place}) => {
  const answer = useAnswer('/api/v1/heatmap', {site: place.site, limit: PAGES});
  return (
    <>
      <Title>{t('view.heatmaps')}</Title>
      <Answered answer={answer} rows={8}>
        {({pages}) =>
          pages.length ? (
            <Page pages={pages} place={place} />
          ) : (
            <Empty title={t('heat.empty')} hint={t('heat.empty_hint', {site: place.site})} />
          )
        }
      </Answered>
    </>
  );
};
