/** What a site may know of its visitors, in plain words. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {Form} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {changeSite} from './changes.js';

const POLICY = {
  visitor: ['daily', 'monthly', 'persistent', 'cookie', 'client'],
  ip: ['none', 'truncated', 'full'],
  user_agent: ['class', 'full'],
  traits: ['drop', 'keep'],
  opt_out: ['drop', 'anonymous', 'ignore'],
};
/** What can make it personal data, for which one mostly has to ask. */
const PERSONAL = new Set(['visitor.persistent', 'visitor.cookie', 'visitor.client', 'ip.truncated', 'ip.full', 'user_agent.full', 'traits.keep']); // prettier-ignore

const Options = ({name, chosen, onChoose}) => (
  <fieldset class="boxed policy-options">
    <legend>{t(`policy.${name}`)}</legend>
    {POLICY[name].map((value) => (
      <label key={value}>
        <input type="radio" name={name} value={value} checked={value === chosen} onChange={() => onChoose(value)} />
        <span>
          <strong>{t(`policy.${name}.${value}`)}</strong>
          <small>{t(`policy.${name}.${value}_help`)}</small>
        </span>
      </label>
    ))}
  </fieldset>
);

export const Privacy = ({site, reload}) => {
  const [policy, setPolicy] = useState(site.policy);
  const [isOwn, setOwn] = useState(site.own_policy);
  const shown = isOwn ? policy : site.own_policy ? null : site.policy;
  const save = () => changeSite(site, {policy: isOwn ? policy : null}, reload);
  const isPersonal = Object.entries(policy).some(([name, value]) => PERSONAL.has(`${name}.${value}`));
  return (
    <Panel title={t('settings.privacy')}>
      <p>{t('policy.lead')}</p>
      <Form onSend={save}>
        <fieldset class="boxed policy-options">
          <legend>{t('policy.whose')}</legend>
          {[false, true].map((value) => (
            <label key={String(value)}>
              <input type="radio" name="whose" checked={isOwn === value} onChange={() => setOwn(value)} />
              <span>
                <strong>{t(value ? 'policy.own' : 'policy.settings')}</strong>
                <small>{t(value ? 'policy.own_help' : 'policy.settings_help')}</small>
              </span>
            </label>
          ))}
        </fieldset>
        {isOwn &&
          Object.keys(POLICY).map((name) => (
            <Options
              key={name}
              name={name}
              chosen={policy[name]}
              onChoose={(value) => setPolicy({...policy, [name]: value})}
            />
          ))}
        {!isOwn && shown && (
          <dl class="fact-list">
            {Object.entries(shown).map(([name, value]) => (
              <div key={name}>
                <dt>{t(`policy.${name}`)}</dt>
                <dd>{t(`policy.${name}.${value}`)}</dd>
              </div>
            ))}
          </dl>
        )}
        {isOwn && isPersonal && <p class="warn-text">{t('policy.personal')}</p>}
      </Form>
    </Panel>
  );
};
