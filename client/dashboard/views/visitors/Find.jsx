/** Finds somebody who asks what is stored of them: by cookie, id of the page, address, or visitor id. */
import {useState} from 'preact/hooks';
import {at, request, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {Field, Form} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';
import {shortId} from '../sessions/parts.jsx';
import {Erase} from './Erase.jsx';
import {keepFile} from './download.js';

const WAYS = ['ip', 'cookie', 'client_id', 'visitor'];

const subjectOf = ({way, value, agent}) => ({
  [way]: value.trim(),
  ...(way === 'ip' && agent?.trim() && {user_agent: agent.trim()}),
});

const exportOf = async (site, subject) => {
  const answer = await request('POST', at`/api/v1/sites/${site}/visitors/export`, {body: subject});
  keepFile('visitor.json', await answer.text());
  say(t('visitors.exported'));
};

const Found = ({site, found, subject, onErase}) => {
  const {visitors, addresses, notes} = found;
  const isNothing = visitors.length + addresses.length === 0;
  return (
    <div class="found-people" role="status">
      <p>{isNothing ? t('visitors.found_none') : t('visitors.found', {count: visitors.length})}</p>
      <ul>
        {visitors.map((id) => (
          <li key={id}>
            <a href={toView('visitors', {id})}>
              <code>{shortId(id)}</code>
            </a>
          </li>
        ))}
      </ul>
      {addresses.length > 0 && <p>{t('visitors.addresses', {list: addresses.join(', ')})}</p>}
      {notes.map((note) => (
        <p key={note} class="soft">
          {note}
        </p>
      ))}
      {!isNothing && (
        <p class="actions">
          <button type="button" class="button" onClick={() => exportOf(site, subject).catch(sayTrouble)}>
            {t('visitors.export_all')}
          </button>
          <button type="button" class="button danger" onClick={onErase}>
            {t('visitors.erase_all')}
          </button>
        </p>
      )}
    </div>
  );
};

export const Find = ({site, onErased}) => {
  const [way, setWay] = useState('ip');
  const [{found, subject}, setFound] = useState({});
  const [isErasing, setErasing] = useState(false);
  const find = async (values) => {
    const asked = subjectOf(values);
    setFound({found: await send('POST', at`/api/v1/sites/${site}/visitors/find`, asked), subject: asked});
  };
  return (
    <Panel title={t('visitors.find')}>
      <p class="soft">{t('visitors.find_hint')}</p>
      <Form onSend={find} submit={t('visitors.find')} class="form find">
        <Field
          label={t('visitors.by')}
          type="select"
          name="way"
          value={way}
          onChange={({target}) => setWay(target.value)}
        >
          {WAYS.map((name) => (
            <option key={name} value={name}>
              {t(`visitors.by_${name}`)}
            </option>
          ))}
        </Field>
        <Field label={t('visitors.value')} name="value" required autoComplete="off" />
        {way === 'ip' && <Field label={t('visitors.agent')} name="agent" help={t('visitors.agent_hint')} />}
      </Form>
      {found && <Found site={site} found={found} subject={subject} onErase={() => setErasing(true)} />}
      {isErasing && (
        <Erase
          site={site}
          subject={subject}
          onClose={() => setErasing(false)}
          onErased={() => {
            setErasing(false);
            setFound({});
            onErased();
          }}
        />
      )}
    </Panel>
  );
};
