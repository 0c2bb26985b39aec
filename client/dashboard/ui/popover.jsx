/** A button that opens a box with anything in it; Escape and a click elsewhere close it. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {Icon} from './icon.jsx';
import {useDismiss} from './menu.jsx';

/** `title` is read aloud, `label` is shown; `children(close)` is the box. `isPlain` is without an arrow. */
export const Popover = ({label, title, icon, isPlain, buttonClass = 'button', class: name = '', children}) => {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(null);
  const opener = useRef(null);
  const inside = useRef(null);
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  useDismiss(isOpen, box, () => setOpen(false), opener);
  useEffect(() => {
    if (isOpen) inside.current.querySelector('[aria-pressed=true], button, a[href], input, select')?.focus();
  }, [isOpen]);
  return (
    <div class={`menu ${name}`} ref={box}>
      <button
        type="button"
        ref={opener}
        class={buttonClass}
        aria-expanded={isOpen}
        aria-label={label ? `${title}: ${label}` : title}
        title={title}
        onClick={() => setOpen(!isOpen)}
      >
        {icon && <Icon name={icon} />}
        {label && <span class="menu-label">{label}</span>}
        {label && !isPlain && <Icon name="down" size={14} />}
      </button>
      {isOpen && (
        <div class="popover" ref={inside} role="group" aria-label={title}>
          {children(close)}
        </div>
      )}
    </div>
  );
};
