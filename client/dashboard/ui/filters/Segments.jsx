/** Saved filters: chosen, made of the present ones, renamed, shared, removed. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {filterText} from '../../app/filters.js';
import {may} from '../../app/session.js';
import {Dialog} from '../dialog.jsx';
import {Check, Field, Form} from '../form.jsx';
import {Menu, MenuItem} from '../menu.jsx';
import {say, sayTrouble} from '../toast.jsx';

const path = (site, id) => (id ? at`/api/v1/sites/${site}/segments/${id}` : at`/api/v1/sites/${site}/segments`);

const choose = (segment) => go(withParams({segment}));

const Shared = ({site, isShared}) =>
  may('manage', site) ? (
    <Check name="shared" label={t('segment.shared')} help={t('segment.shared_help')} defaultChecked={isShared} />
  ) : null;

const SaveDialog = ({question, segments, onDone, onClose}) => {
  const {site, filters, segment} = question;
  const inner = segments.find(({name}) => name === segment)?.filter;
  const text = [inner && `(${inner})`, filterText(filters)].filter(Boolean).join(' and ');
  const save = async ({name, shared = false}) => {
    const made = await send('POST', path(site), {name, filter: text, shared});
    say(t('segment.saved', {name: made.name}));
    onDone();
    go(withParams({segment: made.name, f: null}));
  };
  return (
    <Dialog title={t('segment.save')} onClose={onClose}>
      <Form onSend={save} submit={t('segment.save_as')}>
        <p>
          <code>{text}</code>
        </p>
        <Field label={t('segment.name')} name="name" required maxLength={80} autoComplete="off" />
        <Shared site={site} />
      </Form>
    </Dialog>
  );
};

const Row = ({site, one, isChosen, onDone}) => {
  const mayChange = !one.shared || may('manage', site);
  const remove = async () => {
    try {
      await send('DELETE', path(site, one.id));
      if (isChosen) choose(null);
      say(t('segment.removed', {name: one.name}));
      onDone();
    } catch (error) {
      sayTrouble(error);
    }
  };
  const save = async ({name, shared = one.shared}) => {
    const changed = await send('PATCH', path(site, one.id), {name, shared});
    if (isChosen) choose(changed.name);
    say(t('segment.saved', {name: changed.name}));
    onDone();
  };
  if (!mayChange) {
    return (
      <li>
        <strong>{one.name}</strong> <code>{one.filter}</code>
      </li>
    );
  }
  return (
    <li>
      <Form
        onSend={save}
        extra={
          <button type="button" class="button danger" onClick={remove}>
            {t('segment.remove')}
          </button>
        }
      >
        <Field label={t('segment.name')} name="name" defaultValue={one.name} required maxLength={80} />
        <code>{one.filter}</code>
        <Shared site={site} isShared={one.shared} />
      </Form>
    </li>
  );
};

const ManageDialog = ({question, segments, onDone, onClose}) => (
  <Dialog title={t('segment.manage')} onClose={onClose}>
    <ul class="segment-list">
      {segments.map((one) => (
        <Row key={one.id} site={question.site} one={one} isChosen={one.name === question.segment} onDone={onDone} />
      ))}
    </ul>
  </Dialog>
);

/** Are offered where there are some, or where there is something to save. */
export const Segments = ({question}) => {
  const {site, filters, segment} = question;
  const [dialog, setDialog] = useState('');
  const {data, reload} = useAnswer(path(site), {}, {isKept: false});
  const segments = data?.segments ?? [];
  const maySave = may('visitors', site);
  if (!segments.length && !(maySave && filters.length)) return null;
  const shared = {question, segments, onClose: () => setDialog('')};
  return (
    <>
      <Menu label={t('segment.all')} title={t('segment.choose')} icon="star" isQuiet class="segment-menu">
        {segments.map(({id, name, shared: isShared}) => (
          <MenuItem
            key={id}
            isChosen={name === segment}
            note={isShared ? t('segment.is_shared') : ''}
            onPick={() => choose(name === segment ? null : name)}
          >
            {name}
          </MenuItem>
        ))}
        {maySave && filters.length > 0 && <MenuItem onPick={() => setDialog('save')}>{t('segment.save')}</MenuItem>}
        {maySave && segments.length > 0 && (
          <MenuItem onPick={() => setDialog('manage')}>{t('segment.manage')}</MenuItem>
        )}
      </Menu>
      {dialog === 'save' && (
        <SaveDialog
          {...shared}
          onDone={() => {
            setDialog('');
            reload();
          }}
        />
      )}
      {dialog === 'manage' && segments.length > 0 && <ManageDialog {...shared} onDone={reload} />}
    </>
  );
};
