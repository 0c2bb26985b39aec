/** Says whose days these are, and lets one see those of another time zone. */
import {useId} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {ownZone, setZone, useZone, zones} from '../../app/zone.js';

export const ZoneChoice = ({site}) => {
  const id = useId();
  const zone = useZone();
  const own = ownZone();
  const others = zones();
  return (
    <div class="field zone">
      <label for={id}>{t('zone.title')}</label>
      <select id={id} value={zone} onChange={({target}) => setZone(target.value)}>
        <option value="">{t('zone.site', {zone: site?.timezone ?? 'UTC'})}</option>
        {own !== site?.timezone && <option value={own}>{t('zone.own', {zone: own})}</option>}
        {others
          .filter((name) => name !== own)
          .map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </select>
      {zone && zone !== site?.timezone && <small>{t('zone.left_out')}</small>}
    </div>
  );
};
