/** Makes or changes a report by mail. */
import {useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {languageName} from '../../app/format.js';
import {LANGUAGES, language, t} from '../../app/i18n.js';
import {useSession} from '../../app/session.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {say} from '../../ui/toast.jsx';
import {Choice, words} from '../admin/shared.jsx';
import {EVERY, HOURS, WEEKDAYS, hourText, weekdayName} from './words.js';

const startOf = (report) => ({
  every: report?.every ?? 'weekly',
  weekday: report?.weekday ?? 'monday',
  hour: String(report?.hour ?? 8),
  language: report?.language ?? language(),
});

const bodyOf = ({every, weekday, hour, language: words_in}, recipients) => ({
  recipients: words(recipients),
  every,
  hour: Number(hour),
  language: words_in,
  ...(every === 'weekly' ? {weekday} : {}),
});

const Times = ({draft, timezone, onType}) => {
  const choice = (name, values, text) => ({
    label: t(`mail.${name}`),
    options: values.map((value) => [String(value), text(value)]),
    chosen: draft[name],
    onChange: ({target}) => onType({[name]: target.value}),
  });
  return (
    <div class="field-columns">
      <Choice
        {...choice('every', EVERY, (value) => t(`mail.every.${value}`))}
        help={t(`mail.every_help.${draft.every}`)}
      />
      {draft.every === 'weekly' && <Choice {...choice('weekday', WEEKDAYS, weekdayName)} />}
      <Choice {...choice('hour', HOURS, hourText)} help={t('mail.hour_help', {timezone})} />
      <Choice {...choice('language', Object.keys(LANGUAGES), languageName)} />
    </div>
  );
};

/** `report` null makes a new one. */
export const ScheduleDialog = ({base, report, timezone, onClose, onDone}) => {
  const {me} = useSession();
  const [draft, setDraft] = useState(() => startOf(report));
  const start = report ? report.recipients.map(({address}) => address).join('\n') : (me.email ?? '');
  const save = async ({recipients}) => {
    const body = bodyOf(draft, recipients);
    if (report) await send('PATCH', `${base}/${report.id}`, body);
    else await send('POST', base, body);
    say(t('mail.saved'));
    onDone();
  };
  const look = new URLSearchParams({every: draft.every, language: draft.language});
  return (
    <Dialog title={t(report ? 'mail.edit' : 'mail.make')} onClose={onClose}>
      <Form onSend={save} submit={report ? t('state.save') : t('mail.submit')}>
        <Field
          label={t('mail.recipients')}
          help={t('mail.recipients_help')}
          name="recipients"
          type="textarea"
          rows={3}
          required
          spellcheck={false}
          autocapitalize="none"
          placeholder="anna@example.com"
          defaultValue={start}
        />
        <Times draft={draft} timezone={timezone} onType={(more) => setDraft((old) => ({...old, ...more}))} />
        <p>
          <a href={`${base}/preview?${look}`} target="_blank" rel="noopener noreferrer">
            {t('mail.look')} <Icon name="outside" size={14} />
          </a>
        </p>
      </Form>
    </Dialog>
  );
};
