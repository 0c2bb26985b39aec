/** A modal dialog; the browser keeps the focus inside and closes it with Escape. */
import {useEffect, useRef} from 'preact/hooks';
import {t} from '../app/i18n.js';
import {Icon} from './icon.jsx';

/** Is open as long as it is rendered. */
export const Dialog = ({title, onClose, isWide, children}) => {
  const box = useRef(null);
  useEffect(() => {
    const opener = document.activeElement;
    box.current.showModal();
    return () => opener?.focus?.();
  }, []);
  return (
    <dialog
      ref={box}
      class={isWide ? 'wide' : ''}
      aria-label={title}
      onClose={onClose}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({target}) => target === box.current && onClose()}
    >
      <div class="dialog-box">
        <header>
          <h2>{title}</h2>
          <button type="button" class="button quiet" aria-label={t('state.close')} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
};

/** Asks before something that cannot be undone; `onYes` may be async. */
export const Confirm = ({title, text, yes, onYes, onClose, children}) => (
  <Dialog title={title} onClose={onClose}>
    {text && <p>{text}</p>}
    {children}
    <p class="actions">
      <button type="button" class="button" onClick={onClose}>
        {t('state.cancel')}
      </button>
      <button type="button" class="button danger" onClick={onYes}>
        {yes}
      </button>
    </p>
  </Dialog>
);
