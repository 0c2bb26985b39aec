/** What the visitors of the last half hour have in common. */
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';

/** `shares`: [{name, now, visitors}]; `name` says what these are names of. */
export const Shares = ({title, shares, name, show = (text) => text}) => {
  const most = Math.max(1, ...shares.map(({visitors}) => visitors));
  return (
    <Panel title={title}>
      {shares.length === 0 ? (
        <Empty hint={t('live.nobody_hint')} title={t('live.nobody')} />
      ) : (
        <table class="live-shares">
          <thead>
            <tr>
              <th scope="col">{name}</th>
              <th scope="col" class="number">
                {t('live.column_now')}
              </th>
              <th scope="col" class="number">
                {t('live.column_visitors')}
              </th>
            </tr>
          </thead>
          <tbody>
            {shares.map((share) => (
              <tr key={share.name}>
                <th scope="row">
                  <span class="bar" style={{inlineSize: `${(share.visitors / most) * 100}%`}} aria-hidden="true" />
                  <span class="bar-name">{show(share.name)}</span>
                </th>
                <td class="number">{whole(share.now)}</td>
                <td class="number">{whole(share.visitors)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
};
