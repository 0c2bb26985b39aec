/** What was sent of a report, and what came of it. */
import {useAnswer} from '../../app/answers.js';
import {moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Mark} from '../admin/shared.jsx';
import {when} from './words.js';

const KINDS = {waiting: 'warn', sending: 'warn', sent: 'good', failed: 'bad', skipped: 'warn', dropped: 'plain'};

const columns = (timezone) => [
  {name: 'due', title: t('mail.due'), show: ({due_at: due}) => <time dateTime={due}>{moment(due, timezone)}</time>},
  {
    name: 'to',
    title: t('mail.to'),
    show: ({recipient}) => recipient || <span class="soft">{t('mail.not_listed')}</span>,
  },
  {
    name: 'outcome',
    title: t('history.outcome'),
    show: ({outcome, said, next_at: next}) => (
      <>
        <Mark kind={KINDS[outcome]}>{t(`mail.outcome.${outcome}`)}</Mark>
        {next && <small class="al-below">{t('mail.again', {moment: moment(next, timezone)})}</small>}
        {said && <small class={outcome === 'failed' ? 'al-below trouble' : 'al-below'}>{said}</small>}
      </>
    ),
  },
  {name: 'tries', title: t('mail.tries'), isNumber: true, show: ({tries}) => whole(tries)},
];

export const Deliveries = ({base, report, onClose}) => {
  const answer = useAnswer(`${base}/${report.id}/deliveries`, {}, {isKept: false});
  return (
    <Dialog title={t('mail.sent_of', {name: when(report)})} onClose={onClose} isWide>
      <Answered answer={answer} rows={4}>
        {({deliveries}) =>
          deliveries.length ? (
            <Table
              caption={t('mail.sent')}
              columns={columns(report.timezone)}
              rows={deliveries}
              keyOf={({due_at: due, recipient}, place) => `${due} ${recipient} ${place}`}
            />
          ) : (
            <Empty title={t('mail.nothing_sent')} hint={t('mail.nothing_sent_hint')} />
          )
        }
      </Answered>
    </Dialog>
  );
};
