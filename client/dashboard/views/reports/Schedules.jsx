/** The reports that are sent: when, in which language, to whom. */
import {send} from '../../app/api.js';
import {languageName, moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {Mark, attempt} from '../admin/shared.jsx';
import {IconButton, Switch} from '../alerts/parts.jsx';
import {when} from './words.js';

const Recipients = ({recipients}) => (
  <ul class="chips">
    {recipients.map(({address, unsubscribed_at: since}) => (
      <li key={address} class="chip">
        {address} {since && <Mark kind="warn">{t('mail.unsubscribed')}</Mark>}
      </li>
    ))}
  </ul>
);

const ACTIONS = ['preview', 'sending', 'sent'];

const Actions = ({report, name, canMail, onShow, onSwitch}) => (
  <div class="al-actions">
    <Switch label={t('mail.switch', {name})} isOn={report.is_on} onChange={onSwitch} />
    {ACTIONS.filter((action) => canMail || action !== 'sending').map((action) => (
      <button
        key={action}
        type="button"
        class="button"
        aria-label={`${t(`mail.${action}`)}: ${name}`}
        onClick={() => onShow({[action]: report})}
      >
        {t(`mail.${action}`)}
      </button>
    ))}
    <IconButton icon="edit" label={t('mail.edit_one', {name})} onClick={() => onShow({report})} />
    <IconButton icon="trash" label={t('mail.remove_one', {name})} onClick={() => onShow({doomed: report})} />
  </div>
);

const Schedule = ({report, canMail, onShow, onSwitch}) => {
  const {recipients, timezone, language, is_on: isOn, next_at: next, hint} = report;
  const name = when(report);
  return (
    <li class={isOn ? 'al-item' : 'al-item off'}>
      <div>
        <h3>{name}</h3>
        <p class="al-facts">
          <span>{timezone}</span>
          <span>{languageName(language)}</span>
          {next && canMail && <span>{t('mail.next', {moment: moment(next, timezone)})}</span>}
        </p>
        <Recipients recipients={recipients} />
        {canMail && hint && <p class="warn-text">{t('alerts.problem', {problem: hint})}</p>}
      </div>
      <Actions report={report} name={name} canMail={canMail} onShow={onShow} onSwitch={onSwitch} />
    </li>
  );
};

export const Schedules = ({base, reports, canMail, onShow, reload}) => {
  const turn = ({id}, isOn) =>
    attempt(() => send('PATCH', `${base}/${id}`, {is_on: isOn}), t('state.saved')).then(reload);
  return (
    <Panel title={t('mail.all')}>
      <p class="soft">{t('mail.lead')}</p>
      <ul class="al-list">
        {reports.map((report) => (
          <Schedule
            key={report.id}
            report={report}
            canMail={canMail}
            onShow={onShow}
            onSwitch={(isOn) => turn(report, isOn)}
          />
        ))}
      </ul>
    </Panel>
  );
};
