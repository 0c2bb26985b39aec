/** What happened at a moment: read by everybody, written, changed and removed by owners. */
import {at, send} from '../../app/api.js';
import {moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';

const path = (site, id) => (id ? at`/api/v1/sites/${site}/annotations/${id}` : at`/api/v1/sites/${site}/annotations`);

/** Returns a moment as the field for one wants it: 2026-03-31T14:00, in the zone of the site. */
const localTime = (value, timeZone) => {
  const shown = new Intl.DateTimeFormat('sv-SE', {timeZone, dateStyle: 'short', timeStyle: 'short'}).format(new Date(value)); // prettier-ignore
  return shown.replace(' ', 'T');
};

const Fields = ({note, timezone}) => (
  <>
    <Field label={t('notes.text')} name="text" required maxLength={300} defaultValue={note?.text} autoComplete="off" />
    <Field
      label={t('notes.at')}
      help={t('notes.at_help', {zone: timezone})}
      name="at"
      type="datetime-local"
      required
      defaultValue={localTime(note?.at ?? Date.now(), timezone)}
    />
    <Field
      label={t('notes.link')}
      help={t('notes.link_help')}
      name="link"
      type="url"
      placeholder="https://"
      defaultValue={note?.link ?? ''}
    />
  </>
);

const Written = ({note, timezone}) => (
  <div class="note">
    <p>{note.text}</p>
    <p class="soft">
      {moment(note.at, timezone)}
      {/^https?:\/\//.test(note.link ?? '') && (
        <>
          {' · '}
          <a href={note.link} rel="noopener noreferrer" target="_blank">
            {t('notes.more')} <Icon name="outside" size={14} />
          </a>
        </>
      )}
    </p>
  </div>
);

const Changed = ({site, note, timezone, onChanged, onClose}) => {
  const remove = async () => {
    try {
      await send('DELETE', path(site, note.id));
      say(t('notes.removed'));
      onChanged();
      onClose();
    } catch (error) {
      sayTrouble(error);
    }
  };
  const save = async (values) => {
    await send('PATCH', path(site, note.id), values);
    say(t('notes.saved'));
    onChanged();
    onClose();
  };
  return (
    <Form
      onSend={save}
      extra={
        <button type="button" class="button danger" onClick={remove}>
          {t('notes.remove')}
        </button>
      }
    >
      <Fields note={note} timezone={timezone} />
    </Form>
  );
};

const New = ({site, timezone, draft, onChanged, onClose}) => {
  const add = async (values) => {
    await send('POST', path(site), values);
    say(t('notes.saved'));
    onChanged();
    onClose();
  };
  return (
    <Form onSend={add}>
      <Fields note={draft} timezone={timezone} />
    </Form>
  );
};

/** `notes` are shown, or a new one is written (`isNew`), which begins with the text and the moment of `draft`; children stand below. */
export const Notes = ({site, timezone, notes, isNew, draft, mayNote, onChanged, onClose, children}) => {
  const shared = {site, timezone, onChanged, onClose};
  return (
    <Dialog title={t(isNew ? 'notes.add' : 'notes.title')} onClose={onClose}>
      {isNew && <New draft={draft} {...shared} />}
      {notes.map((note) =>
        mayNote ? (
          <Changed key={note.id} note={note} {...shared} />
        ) : (
          <Written key={note.id} note={note} timezone={timezone} />
        ),
      )}
      {children}
    </Dialog>
  );
};
