/** The way in: one address, and an alert that most people want. */
import {get, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {useSession} from '../../app/session.js';
import {Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {say} from '../../ui/toast.jsx';

/** Of a site what is unusual; of the server what keeps it from counting. */
const rulesOf = async (isServer) => {
  if (!isServer) return [{kind: 'anomaly', severity: 'strong'}];
  const {checks} = await get('/api/v1/checks');
  const hasCertificate = checks.some(({name}) => name === 'certificate');
  return [{kind: 'lag', minutes: 15}, ...(hasCertificate ? [{kind: 'certificate', days: 14}] : [])];
};

/** Names of channels stand in the audit log, in which no address is. */
const freeName = (channels, username) => {
  const name = username ? t('alerts.quick_channel', {name: username}) : t('channels.kinds.email');
  const names = new Set(channels.map((channel) => channel.name));
  let free = name;
  for (let number = 2; names.has(free); number += 1) free = `${name} ${number}`;
  return free;
};

const channelFor = async (base, channels, address, username) => {
  const isIt = ({kind, to}) => kind === 'email' && to.length === 1 && to[0].toLowerCase() === address.toLowerCase();
  const body = {name: freeName(channels, username), kind: 'email', to: [address]};
  return channels.find(isIt) ?? (await send('POST', `${base}/channels`, body));
};

/** `onDone` gets the alert that was made first, which one may like to try. */
export const Quick = ({base, isServer, channels, onDone}) => {
  const {me} = useSession();
  const make = async ({email}) => {
    const address = email.trim();
    const rules = await rulesOf(isServer);
    const {id} = await channelFor(base, channels, address, me.username);
    const made = [];
    for (const rule of rules) {
      made.push(await send('POST', `${base}/alerts`, {...rule, name: t(`alerts.name.${rule.kind}`), channels: [id]}));
    }
    say(t('alerts.quick_done', {to: address}));
    onDone(made[0]);
  };
  return (
    <section class="panel al-quick" aria-label={t(isServer ? 'alerts.quick_server' : 'alerts.quick')}>
      <div class="al-quick-lead">
        <Icon name="alerts" size={28} />
        <div>
          <h2>{t(isServer ? 'alerts.quick_server' : 'alerts.quick')}</h2>
          <p class="soft">{t(isServer ? 'alerts.quick_server_hint' : 'alerts.quick_hint')}</p>
        </div>
      </div>
      <Form onSend={make} submit={t('alerts.quick_submit')}>
        <Field
          label={t('alerts.quick_to')}
          name="email"
          type="email"
          required
          autocomplete="email"
          placeholder="anna@example.com"
          defaultValue={me.email ?? ''}
        />
      </Form>
    </section>
  );
};
