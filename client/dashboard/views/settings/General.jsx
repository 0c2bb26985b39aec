/** Which pages belong to a site, how it is called, and who may see its numbers. */
import {t} from '../../app/i18n.js';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {ZoneField, hostOf} from '../admin/SiteForm.jsx';
import {words} from '../admin/shared.jsx';
import {changeSite} from './changes.js';

export const General = ({site, reload}) => {
  const save = ({hostnames, aliases, timezone, url}) =>
    changeSite(
      site,
      {hostnames: words(hostnames).map(hostOf), aliases: words(aliases), timezone: timezone.trim(), url: url.trim()},
      reload,
    );
  const publish = ({public: isPublic}) => changeSite(site, {public: isPublic}, reload);
  return (
    <>
      <Panel title={t('settings.pages')}>
        <Form onSend={save}>
          <Field
            label={t('site.hostnames')}
            help={t('site.hostnames_help')}
            name="hostnames"
            type="textarea"
            rows={3}
            spellcheck={false}
            defaultValue={site.hostnames.join('\n')}
          />
          {!site.hostnames.length && <p class="warn-text">{t('settings.any_host')}</p>}
          <Field
            label={t('settings.aliases')}
            help={t('settings.aliases_help')}
            name="aliases"
            spellcheck={false}
            defaultValue={site.aliases.join(' ')}
          />
          <ZoneField defaultValue={site.timezone} help={t('settings.timezone_help')} />
          <Field
            label={t('settings.url')}
            help={t('settings.url_help')}
            name="url"
            type="url"
            defaultValue={site.url}
          />
        </Form>
      </Panel>
      <Panel title={t('settings.who')}>
        <Form onSend={publish}>
          <Check
            label={t('settings.public')}
            help={t('settings.public_help')}
            name="public"
            defaultChecked={site.public}
          />
        </Form>
      </Panel>
      <p class="soft">{t('settings.facts', {id: site.id, admins: site.admins.join(', ') || '–'})}</p>
    </>
  );
};
