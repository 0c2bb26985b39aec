/** Erases somebody: first it is shown what would go, then a word must be typed. */
import {useEffect, useState} from 'preact/hooks';
import {at, send} from '../../app/api.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {ErrorBox, Skeleton, wordsOf} from '../../ui/states.jsx';
import {say} from '../../ui/toast.jsx';

const PARTS = ['visitors', 'visits', 'events', 'recordings', 'ip_records'];

const What = ({found}) => (
  <>
    <p>{t('visitors.erase_what')}</p>
    <dl class="person-facts">
      {PARTS.filter((name) => found[name] > 0).map((name) => (
        <div key={name}>
          <dt>{t(`visitors.erase_${name}`)}</dt>
          <dd>{whole(found[name])}</dd>
        </div>
      ))}
    </dl>
    {found.notes.map((note) => (
      <p key={note} class="soft">
        {note}
      </p>
    ))}
  </>
);

/** `subject` is who, as POST …/visitors/erase takes it; `onErased` is called when it is done. */
export const Erase = ({site, subject, onClose, onErased}) => {
  const [{found, error}, setState] = useState({});
  const path = at`/api/v1/sites/${site}/visitors/erase`;
  const word = t('visitors.erase_word');
  useEffect(() => {
    send('POST', path, {...subject, dry_run: true}).then(
      (answer) => setState({found: answer}),
      (refusal) => setState({error: refusal}),
    );
  }, []);
  const erase = async ({typed}) => {
    if (typed.trim().toLowerCase() !== word.toLowerCase()) throw new Error(t('visitors.erase_wrong', {word}));
    const {done} = await send('POST', path, subject);
    say(t(done ? 'visitors.erased' : 'visitors.erasing'));
    onErased();
  };
  const isNothing = found && PARTS.every((name) => !found[name]);
  return (
    <Dialog title={t('visitors.erase_title')} onClose={onClose}>
      {error && <ErrorBox title={wordsOf(error)[0]} hint={wordsOf(error)[1]} />}
      {!found && !error && <Skeleton rows={4} />}
      {isNothing && <p>{t('visitors.erase_nothing')}</p>}
      {found && !isNothing && (
        <>
          <What found={found} />
          <Form
            onSend={erase}
            submit={t('visitors.erase_yes')}
            isDanger
            extra={
              <button type="button" class="button" onClick={onClose}>
                {t('state.cancel')}
              </button>
            }
          >
            <Field label={t('visitors.erase_type', {word})} name="typed" autoComplete="off" required />
          </Form>
        </>
      )}
    </Dialog>
  );
};
