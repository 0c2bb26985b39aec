/** Lists the keyboard shortcuts when somebody types ?. */
import {useState} from 'preact/hooks';
import {Dialog} from '../ui/dialog.jsx';
import {t} from './i18n.js';
import {listShortcuts, useShortcuts} from './keys.js';

export const ShortcutHelp = () => {
  const [isOpen, setOpen] = useState(false);
  useShortcuts({'?': [t('keys.help'), () => setOpen(true)]}, []);
  if (!isOpen) return null;
  return (
    <Dialog title={t('keys.title')} onClose={() => setOpen(false)}>
      <dl class="shortcuts">
        {listShortcuts().map(([key, name]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((part) => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dt>
            <dd>{name}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
};
