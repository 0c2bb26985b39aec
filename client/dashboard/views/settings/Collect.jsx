/** Which parts of the tracker script a site's pages load, and for how long what they tell is kept. */
import {t} from '../../app/i18n.js';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {changeSite} from './changes.js';

const MODULES = ['clicks', 'vitals', 'errors', 'heatmap', 'replay'];
const KEPT = ['events_days', 'replay_days', 'ip_records_days', 'profiles_days'];

const Modules = ({site, reload}) => {
  const save = (values) =>
    changeSite(site, {modules: values.settings ? null : MODULES.filter((name) => values[name])}, reload);
  const choose = ({target, currentTarget}) => {
    if (target.name !== 'settings') currentTarget.elements.settings.checked = false; // who chooses means it
  };
  return (
    <Panel title={t('collect.modules')}>
      <p class="soft">{t('collect.modules_hint')}</p>
      <Form onSend={save} onChange={choose}>
        {MODULES.map((name) => (
          <Check
            key={name}
            name={name}
            label={t(`module.${name}`)}
            help={t(`module.${name}_help`)}
            defaultChecked={site.modules.includes(name)}
          />
        ))}
        <Check
          name="settings"
          label={t('collect.as_settings')}
          help={t('collect.as_settings_help')}
          defaultChecked={!site.own_modules}
        />
      </Form>
    </Panel>
  );
};

const Retention = ({site, reload}) => {
  const save = (values) => {
    const days = KEPT.map((name) => [name, values[name] === '' ? null : Number(values[name])]);
    return changeSite(site, {retention: Object.fromEntries(days)}, reload);
  };
  return (
    <Panel title={t('collect.retention')}>
      <p class="soft">{t('collect.retention_hint')}</p>
      <Form onSend={save}>
        <div class="field-columns">
          {KEPT.map((name) => (
            <Field
              key={name}
              name={name}
              type="number"
              min={0}
              max={36500}
              label={t(`collect.${name}`)}
              help={t(`collect.${name}_help`, {days: site.retention[name] || t('collect.ever')})}
              placeholder={t('collect.settings')}
              defaultValue={site.own_retention?.[name] ?? ''}
            />
          ))}
        </div>
      </Form>
    </Panel>
  );
};

export const Collect = (props) => (
  <>
    <Modules {...props} />
    <Retention {...props} />
  </>
);
