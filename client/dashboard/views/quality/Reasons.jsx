/** Why events are taken for a robot's. */
import {percent, whole} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {BarCell} from '../goals/parts.jsx';

const nameOf = (reason) => (hasText(`quality.reason.${reason}`) ? t(`quality.reason.${reason}`) : reason);
const helpOf = (reason) => (hasText(`quality.reason_help.${reason}`) ? t(`quality.reason_help.${reason}`) : '');

const columnsOf = (all) => [
  {
    name: 'reason',
    title: t('quality.reason'),
    show: ({reason, events}) => (
      <BarCell share={events / all}>
        {nameOf(reason)}
        <small class="g-below">{helpOf(reason)}</small>
      </BarCell>
    ),
  },
  {name: 'events', title: t('metric.events'), isNumber: true, show: ({events}) => whole(events)},
  {name: 'share', title: t('quality.of_robots'), isNumber: true, show: ({events}) => percent(events / all)},
  {name: 'alone', title: t('quality.alone'), isNumber: true, show: ({alone}) => whole(alone)},
];

export const Reasons = ({robots}) => (
  <Panel title={t('quality.reasons')}>
    <Answered answer={robots} rows={5}>
      {({reasons, events}) =>
        reasons.length ? (
          <>
            <Table
              caption={t('quality.reasons')}
              columns={columnsOf(events)}
              rows={reasons}
              keyOf={({reason}) => reason}
            />
            <p class="g-note">{t('quality.reasons_help')}</p>
          </>
        ) : (
          <Empty title={t('quality.no_robots')} hint={t('quality.no_robots_hint')} />
        )
      }
    </Answered>
  </Panel>
);
