/** A button that opens a short list of links or choices. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {Icon} from './icon.jsx';

const focusable = (box) => [...box.querySelectorAll('a[href], button:not([disabled])')];

const move = (list, event) => {
  const items = focusable(list);
  const place = items.indexOf(document.activeElement);
  const next = {ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1}[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
};

/** Closes what is open when one clicks elsewhere, leaves it with Tab, or types Escape (then the focus goes back). */
export const useDismiss = (isOpen, box, close, opener) =>
  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointer = ({target}) => !box.current?.contains(target) && close();
    const onKey = ({key}) => {
      if (key !== 'Escape') return;
      close();
      opener?.current?.focus();
    };
    addEventListener('pointerdown', onPointer);
    addEventListener('focusin', onPointer);
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('pointerdown', onPointer);
      removeEventListener('focusin', onPointer);
      removeEventListener('keydown', onKey);
    };
  }, [isOpen]);

/** `title` is read aloud; `label` is shown, none for an icon alone. Children are MenuItems. */
export const Menu = ({label, title, icon, isQuiet, class: name = '', children}) => {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(null);
  const opener = useRef(null);
  const list = useRef(null);
  useDismiss(isOpen, box, () => setOpen(false), opener);
  useEffect(() => {
    if (isOpen) {
      (list.current.querySelector('[aria-current], [aria-pressed=true]') ?? focusable(list.current)[0])?.focus();
    }
  }, [isOpen]);
  return (
    <div class={`menu ${name}`} ref={box}>
      <button
        type="button"
        ref={opener}
        class={isQuiet ? 'button quiet' : 'button'}
        aria-expanded={isOpen}
        aria-label={label ? `${title}: ${label}` : title}
        title={title}
        onClick={() => setOpen(!isOpen)}
      >
        {icon && <Icon name={icon} />}
        {label && <span class="menu-label">{label}</span>}
        {label && <Icon name="down" size={14} />}
      </button>
      {isOpen && (
        <ul
          class="menu-list"
          ref={list}
          onKeyDown={(event) => move(list.current, event)}
          onClick={() => setOpen(false)}
        >
          {children}
        </ul>
      )}
    </div>
  );
};

/** A link (`href`) or a choice (`onPick`); `note` stands behind it in small letters. */
export const MenuItem = ({href, onPick, isChosen, note, children}) => {
  const inside = (
    <>
      <span>{children}</span>
      {note && <small>{note}</small>}
      {isChosen && <Icon name="check" size={16} />}
    </>
  );
  return (
    <li>
      {href ? (
        <a href={href} aria-current={isChosen ? 'true' : undefined}>
          {inside}
        </a>
      ) : (
        <button type="button" aria-pressed={isChosen === undefined ? undefined : Boolean(isChosen)} onClick={onPick}>
          {inside}
        </button>
      )}
    </li>
  );
};
