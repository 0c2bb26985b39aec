/** Texts to take along: a button copies them, and what cannot be copied is marked. */
import {useRef} from 'preact/hooks';
import {t} from '../app/i18n.js';
import {Icon} from './icon.jsx';
import {say} from './toast.jsx';

const copy = async (box) => {
  try {
    await navigator.clipboard.writeText(box.textContent);
    say(t('copy.done'));
  } catch {
    getSelection().selectAllChildren(box); // without https there is no clipboard
    say(t('copy.marked'));
  }
};

/** `label` names the text for who hears it. */
export const Copyable = ({text, label}) => {
  const box = useRef(null);
  return (
    <div class="copyable">
      <pre tabIndex={0} aria-label={label}>
        <code ref={box}>{text}</code>
      </pre>
      <button type="button" class="button" onClick={() => copy(box.current)}>
        <Icon name="copy" size={16} /> {t('copy.copy')}
      </button>
    </div>
  );
};
