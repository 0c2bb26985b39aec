/** Reports by mail: who gets which, when; how they look, and what came of those that were sent. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {useSession} from '../../app/session.js';
import {Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {AddButton, NoMail} from '../alerts/parts.jsx';
import {Opened} from './Opened.jsx';
import {Schedules} from './Schedules.jsx';

const First = ({onShow}) => (
  <section class="panel">
    <Empty title={t('mail.first')} hint={t('mail.first_hint')}>
      <p class="actions center">
        <AddButton text={t('mail.make')} onClick={() => onShow({report: null})} />
        <button type="button" class="button" onClick={() => onShow({preview: null})}>
          {t('mail.preview_first')}
        </button>
      </p>
    </Empty>
  </section>
);

export const View = ({place}) => {
  const {sites} = useSession();
  const base = at`/api/v1/sites/${place.site}/reports`;
  const answer = useAnswer(base, {}, {isKept: false});
  const [open, show] = useState(null);
  const site = sites.find(({name, aliases}) => name === place.site || aliases?.includes(place.site));
  const shared = {base, onShow: show, reload: answer.reload, timezone: site?.timezone};
  return (
    <>
      <Title extra={answer.data && <AddButton text={t('mail.make')} onClick={() => show({report: null})} />}>
        {t('view.reports')}
      </Title>
      <Answered answer={answer} rows={6}>
        {({reports, mail_is_set_up: canMail}) => (
          <>
            {!canMail && <NoMail docs="docs/mail-reports.md" />}
            {reports.length ? <Schedules {...shared} reports={reports} canMail={canMail} /> : <First {...shared} />}
          </>
        )}
      </Answered>
      {open && <Opened {...shared} open={open} />}
    </>
  );
};
