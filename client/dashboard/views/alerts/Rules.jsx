/** The alerts that there are: what each is about, who gets it, when it was told last. */
import {send} from '../../app/api.js';
import {ago, moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {attempt} from '../admin/shared.jsx';
import {IconButton, Switch} from './parts.jsx';
import {manners, meaning} from './words.js';

/** Returns when an alert was told last, as far back as the newest messages go. */
const lastTold = (rule, deliveries) =>
  deliveries.find(({alert, phase, at}) => alert === rule.name && phase === 'on' && at >= rule.created_at)?.at;

/** What keeps it from being looked at, and its messages from getting there. */
const Problems = ({rule, receivers}) => (
  <>
    {rule.problem && <p class="warn-text">{t('alerts.problem', {problem: rule.problem})}</p>}
    {receivers
      .filter(({problem}) => problem)
      .map(({id, name, problem}) => (
        <p key={id} class="warn-text">
          {name}: {t('channels.problem', {problem})}
        </p>
      ))}
  </>
);

const Facts = ({rule, receivers, told}) => {
  const names = receivers.map(({name}) => name);
  return (
    <p class="al-facts">
      <span>{t('alerts.to', {names: names.join(', ')})}</span>
      {manners(rule).map((text) => (
        <span key={text}>{text}</span>
      ))}
      {told && (
        <span>
          <time dateTime={told} title={moment(told)}>
            {t('alerts.told', {ago: ago(told)})}
          </time>
        </span>
      )}
    </p>
  );
};

const Actions = ({rule, onShow, onSwitch}) => (
  <div class="al-actions">
    <Switch label={t('alerts.switch', {name: rule.name})} isOn={rule.is_on} onChange={onSwitch} />
    <button
      type="button"
      class="button"
      aria-label={t('alerts.test_one', {name: rule.name})}
      onClick={() => onShow({tested: rule, kind: 'alerts'})}
    >
      {t('alerts.test')}
    </button>
    <IconButton icon="edit" label={t('alerts.edit_one', {name: rule.name})} onClick={() => onShow({rule})} />
    <IconButton
      icon="trash"
      label={t('alerts.remove_one', {name: rule.name})}
      onClick={() => onShow({doomed: rule, kind: 'alerts'})}
    />
  </div>
);

const Rule = ({rule, channels, goals, deliveries, onShow, onSwitch}) => {
  const receivers = channels.filter(({id}) => rule.channels.includes(id));
  return (
    <li class={rule.is_on ? 'al-item' : 'al-item off'}>
      <div>
        <h3>{rule.name}</h3>
        <p>{meaning(rule, goals)}.</p>
        <Facts rule={rule} receivers={receivers} told={lastTold(rule, deliveries)} />
        <Problems rule={rule} receivers={receivers} />
      </div>
      <Actions rule={rule} onShow={onShow} onSwitch={(isOn) => onSwitch(rule, isOn)} />
    </li>
  );
};

export const Rules = ({base, rules, reload, ...rest}) => {
  const turn = (rule, isOn) =>
    attempt(() => send('PATCH', `${base}/alerts/${rule.id}`, {is_on: isOn}), t('state.saved')).then(reload);
  return (
    <Panel title={t('alerts.all')}>
      <ul class="al-list">
        {rules.map((rule) => (
          <Rule key={rule.id} rule={rule} onSwitch={turn} {...rest} />
        ))}
      </ul>
    </Panel>
  );
};
