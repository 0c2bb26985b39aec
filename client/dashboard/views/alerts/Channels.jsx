/** Ways to reach people and programs; what proves who writes to them is never shown. */
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';
import {AddButton, IconButton} from './parts.jsx';

const Actions = ({channel, onShow}) => (
  <div class="al-actions">
    {channel.kind === 'webhook' && (
      <button
        type="button"
        class="button"
        aria-label={t('channels.renew_one', {name: channel.name})}
        onClick={() => onShow({renewed: channel})}
      >
        {t('channels.renew')}
      </button>
    )}
    <button
      type="button"
      class="button"
      aria-label={t('alerts.test_one', {name: channel.name})}
      onClick={() => onShow({tested: channel, kind: 'channels'})}
    >
      {t('alerts.test')}
    </button>
    <IconButton icon="edit" label={t('channels.edit_one', {name: channel.name})} onClick={() => onShow({channel})} />
    <IconButton
      icon="trash"
      label={t('channels.remove_one', {name: channel.name})}
      onClick={() => onShow({doomed: channel, kind: 'channels'})}
    />
  </div>
);

export const Channels = ({channels, onShow}) => (
  <Panel title={t('channels.all')}>
    <p class="soft">{t('channels.lead')}</p>
    {channels.length ? (
      <ul class="al-list">
        {channels.map((channel) => (
          <li key={channel.id} class="al-item">
            <div>
              <h3>{channel.name}</h3>
              <p class="al-facts">
                <span>{t(`channels.kinds.${channel.kind}`)}</span>
                {channel.place !== channel.name && <span class="al-place">{channel.place}</span>}
              </p>
              {channel.problem && <p class="warn-text">{t('channels.problem', {problem: channel.problem})}</p>}
            </div>
            <Actions channel={channel} onShow={onShow} />
          </li>
        ))}
      </ul>
    ) : (
      <Empty title={t('channels.none')} hint={t('channels.none_hint')}>
        <AddButton text={t('channels.make')} onClick={() => onShow({channel: null})} />
      </Empty>
    )}
  </Panel>
);
