/** Of all events, how many are people's, doubtful, AI crawlers' and other robots'. */
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';

/** Returns [name, events] of each part; doubtful ones count as people's everywhere else. */
const partsOf = (kinds, robots) => {
  const people = kinds.rows.reduce((sum, {metrics}) => sum + metrics.events, 0);
  const ai = robots.crawlers.reduce((sum, {is_ai: isAi, events}) => sum + (isAi ? events : 0), 0);
  const doubtful = Math.min(robots.doubtful, people);
  return [
    ['people', people - doubtful],
    ['doubtful', doubtful],
    ['ai', ai],
    ['robots', robots.events - ai],
  ];
};

const Shown = ({kinds, robots}) => {
  const parts = partsOf(kinds, robots);
  const all = parts.reduce((sum, [, events]) => sum + events, 0);
  if (!all) return <Empty title={t('quality.nobody')} hint={t('quality.nobody_hint')} />;
  return (
    <>
      <div class="g-parts" aria-hidden="true">
        {parts
          .filter(([, events]) => events)
          .map(([name, events]) => (
            <span key={name} class={`g-part ${name}`} style={{flexGrow: events}} />
          ))}
      </div>
      <dl class="g-tiles">
        {parts.map(([name, events]) => (
          <div key={name}>
            <dt>
              <span class={`g-key ${name}`} aria-hidden="true" /> {t(`quality.who.${name}`)}
            </dt>
            <dd>
              {percent(events / all)} <small>{t('quality.events', {count: events, number: whole(events)})}</small>
            </dd>
          </div>
        ))}
      </dl>
      <p class="g-note">{t('quality.who_help')}</p>
      {robots.days_missing > 0 && (
        <p class="g-note g-notice">{t('quality.days_missing', {count: robots.days_missing})}</p>
      )}
    </>
  );
};

export const Who = ({kinds, robots}) => (
  <Panel title={t('quality.who')}>
    <Answered answer={kinds} rows={3}>
      {(people) => (
        <Answered answer={robots} rows={3}>
          {(found) => <Shown kinds={people} robots={found} />}
        </Answered>
      )}
    </Answered>
  </Panel>
);
