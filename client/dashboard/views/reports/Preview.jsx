/** How a report looks: the page of the server in a frame in which nothing runs. */
import {useState} from 'preact/hooks';
import {languageName} from '../../app/format.js';
import {LANGUAGES, language, t} from '../../app/i18n.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Skeleton} from '../../ui/states.jsx';
import {Choice} from '../admin/shared.jsx';
import {EVERY, when} from './words.js';

/** `report` null: one may choose which. */
export const Preview = ({base, report, onClose}) => {
  const [asked, setAsked] = useState({every: report?.every ?? 'weekly', language: report?.language ?? language()});
  const [isThere, setThere] = useState(false);
  const choose = (name) => (event) => {
    setThere(false);
    setAsked((old) => ({...old, [name]: event.target.value}));
  };
  const address = (format) => `${base}/preview?${new URLSearchParams({...asked, format})}`;
  return (
    <Dialog title={report ? `${t('mail.preview')}: ${when(report)}` : t('mail.preview')} onClose={onClose} isWide>
      {!report && (
        <div class="field-columns">
          <Choice
            label={t('mail.every')}
            options={EVERY.map((every) => [every, t(`mail.every.${every}`)])}
            chosen={asked.every}
            onChange={choose('every')}
          />
          <Choice
            label={t('mail.language')}
            options={Object.keys(LANGUAGES).map((code) => [code, languageName(code)])}
            chosen={asked.language}
            onChange={choose('language')}
          />
        </div>
      )}
      {!isThere && <Skeleton rows={8} />}
      <iframe
        class="al-preview"
        sandbox=""
        src={address('html')}
        title={t('mail.preview')}
        hidden={!isThere}
        onLoad={() => setThere(true)}
      />
      <p class="actions">
        {['html', 'text'].map((format) => (
          <a key={format} class="button" href={address(format)} target="_blank" rel="noopener noreferrer">
            {t(`mail.open_${format}`)} <Icon name="outside" size={14} />
          </a>
        ))}
      </p>
    </Dialog>
  );
};
