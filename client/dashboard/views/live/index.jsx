/** Who is on the site now. */
import {useMemo} from 'preact/hooks';
import {WorldMap} from '../../map/WorldMap.jsx';
import {clock, country, flag} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView} from '../../app/place.js';
import {writeFilter} from '../../app/filters.js';
import {Panel, Title} from '../../ui/panel.jsx';
import {ErrorBox, Skeleton, wordsOf} from '../../ui/states.jsx';
import {Feed, Robots} from './Feed.jsx';
import {Now} from './Now.jsx';
import {Shares} from './Shares.jsx';
import {useLive} from './useLive.js';

const Connection = ({state, live}) => (
  <p class={`live-state is-${state}`} role="status">
    {t(`live.state.${state}`, {time: live ? clock(live.time) : ''})}
  </p>
);

const by = (shares, name) => Object.fromEntries(shares.map((share) => [share.name, share[name]]));

const Countries = ({shares}) => {
  const values = useMemo(() => by(shares, 'visitors'), [shares]);
  const marks = useMemo(() => by(shares, 'now'), [shares]);
  return (
    <Panel title={t('live.map')} class="live-map">
      <WorldMap
        values={values}
        marks={marks}
        label={t('live.map_label')}
        onPick={(code) =>
          go(toView('overview', {f: writeFilter({operator: 'is', dimension: 'country', values: [code]})}))
        }
      />
    </Panel>
  );
};

const Shown = ({live}) => (
  <>
    <div class="live-top">
      <Now live={live} />
      <Countries shares={live.countries} />
    </div>
    <div class="live-feeds">
      <Feed events={live.feed} />
      <Robots robots={live.robots} />
    </div>
    <div class="grid live-lists">
      <Shares title={t('live.pages')} shares={live.pages} name={t('dimension.page')} />
      <Shares title={t('live.sources')} shares={live.sources} name={t('dimension.source')} />
      <Shares
        title={t('live.countries')}
        shares={live.countries.slice(0, 10)}
        name={t('dimension.country')}
        show={(code) => `${flag(code)} ${country(code)}`}
      />
    </div>
  </>
);

export const View = ({place}) => {
  const {live, state, error} = useLive(place.site);
  if (error) {
    const [title, hint] = wordsOf(error);
    return (
      <>
        <Title>{t('view.live')}</Title>
        <ErrorBox title={title} hint={hint} />
      </>
    );
  }
  return (
    <>
      <Title extra={<Connection state={state} live={live} />}>{t('view.live')}</Title>
      {live ? <Shown live={live} /> : <Skeleton rows={10} />}
    </>
  );
};
