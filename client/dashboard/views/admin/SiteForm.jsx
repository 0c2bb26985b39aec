/** The first things to know of a web site: its hosts, its name, and where its days begin. */
import {useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {loadSession} from '../../app/session.js';
import {Field, Form} from '../../ui/form.jsx';
import {words} from './shared.jsx';

const zones = () => Intl.supportedValuesOf?.('timeZone') ?? [];
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';

/** A time zone by its name in the IANA database. */
export const ZoneField = (props) => (
  <>
    <Field
      label={t('site.timezone')}
      help={t('site.timezone_help')}
      name="timezone"
      list="zones"
      autocomplete="off"
      required
      {...props}
    />
    <datalist id="zones">
      {zones().map((zone) => (
        <option key={zone} value={zone} />
      ))}
    </datalist>
  </>
);

/** Returns the host of what somebody took from the address bar. */
export const hostOf = (text) => text.replace(/^[a-z]+:\/\//i, '').replace(/[/?#].*$/, '');

/** Makes a site and calls `onMade(site)`. */
export const SiteForm = ({onMade, submit}) => {
  const [name, setName] = useState('');
  const [isOwnName, setOwnName] = useState(false);
  const guess = (text) => !isOwnName && setName(hostOf(words(text)[0] ?? '').replace(/^(\*\.|www\.)/, ''));
  const make = async ({hostnames, timezone}) => {
    const body = {name: name.trim(), hostnames: words(hostnames).map(hostOf), timezone: timezone.trim()};
    const made = await send('POST', '/api/v1/sites', body);
    await loadSession();
    onMade(made);
  };
  return (
    <Form onSend={make} submit={submit ?? t('site.add')}>
      <Field
        label={t('site.hostnames')}
        help={t('site.hostnames_help')}
        name="hostnames"
        placeholder="example.com www.example.com"
        autocapitalize="none"
        spellcheck={false}
        onInput={({target}) => guess(target.value)}
      />
      <Field
        label={t('site.name')}
        help={t('site.name_help')}
        name="name"
        value={name}
        required
        maxLength={64}
        autocapitalize="none"
        spellcheck={false}
        onInput={({target}) => {
          setOwnName(true);
          setName(target.value);
        }}
      />
      <ZoneField defaultValue={ownZone()} />
    </Form>
  );
};
