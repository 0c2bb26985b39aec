/** Parts of the administration: choices, secrets that are shown once, and questions before something is lost. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {Copyable} from '../../ui/copy.jsx';
import {Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';

/** A labelled list to choose from; `options` are [value, text]. */
export const Choice = ({options, chosen, ...rest}) => (
  <Field type="select" {...rest}>
    {options.map(([value, text]) => (
      <option key={value} value={value} selected={value === chosen}>
        {text}
      </option>
    ))}
  </Field>
);

/** A state in a word; `kind` good, warn, bad or plain colours it. */
export const Mark = ({kind = 'plain', children}) => <span class={`state-mark ${kind}`}>{children}</span>;

/** Does something and says that it is done, or why not; resolves to whether it was. */
export const attempt = async (work, done) => {
  try {
    await work();
  } catch (error) {
    sayTrouble(error);
    return false;
  }
  if (done) say(done);
  return true;
};

/** Shows what is shown once; `texts` are [label, text]. */
export const Once = ({title, hint, texts, onClose, children}) => (
  <Dialog title={title} onClose={onClose} isWide>
    <p>{hint ?? t('admin.once')}</p>
    {texts.map(([label, text]) => (
      <div key={label} class="once">
        <h3>{label}</h3>
        <Copyable label={label} text={text} />
      </div>
    ))}
    {children}
    <p class="actions">
      <button type="button" class="button primary" onClick={onClose}>
        {t('admin.kept_it')}
      </button>
    </p>
  </Dialog>
);

/** Asks to type `word` before something is lost; `onYes(values)` may throw what the server refuses. */
export const TypedConfirm = ({title, text, word, yes, onYes, onClose, children}) => {
  const [typed, setTyped] = useState('');
  const send = async (values) => {
    if (typed !== word) throw new Error(t('admin.type_it', {word}));
    await onYes(values);
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <Form onSend={send} submit={yes} isDanger>
        {children}
        <Field
          label={t('admin.type_it', {word})}
          name="word"
          autocomplete="off"
          spellcheck={false}
          onInput={({target}) => setTyped(target.value.trim())}
        />
      </Form>
    </Dialog>
  );
};

/** Terms for which keys and links may be good. */
export const terms = () => [
  ['', t('admin.term.ever')],
  ['1d', t('admin.term.day')],
  ['30d', t('admin.term.month')],
  ['90d', t('admin.term.quarter')],
  ['365d', t('admin.term.year')],
];

/** Returns the words of a text that are parted by spaces, commas or lines. */
export const words = (text) => text.split(/[\s,]+/).filter(Boolean);
