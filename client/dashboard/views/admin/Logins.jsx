/** Where somebody is logged in; with `onEnd(login)` each can be ended. */
import {ago, moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Table} from '../../ui/table.jsx';
import {Mark} from './shared.jsx';

export const Logins = ({logins, onEnd}) => {
  const columns = [
    {
      name: 'device',
      title: t('logins.device'),
      show: ({device, kind, present}) => (
        <>
          {device || t('value.unknown')} {kind === 'tokens' && <small>{t('logins.tokens')}</small>}{' '}
          {present && <Mark kind="good">{t('logins.this')}</Mark>}
        </>
      ),
    },
    {name: 'used', title: t('logins.used'), show: ({used_at: used}) => ago(used)},
    {name: 'created', title: t('logins.created'), show: ({created_at: created}) => moment(created)},
  ];
  if (onEnd) {
    columns.push({
      name: 'end',
      title: '',
      show: (login) => (
        <button type="button" class="button" onClick={() => onEnd(login)}>
          {login.present ? t('nav.log_out') : t('logins.end')}
        </button>
      ),
    });
  }
  return <Table caption={t('logins.title')} columns={columns} rows={logins} keyOf={({id}) => id} />;
};
