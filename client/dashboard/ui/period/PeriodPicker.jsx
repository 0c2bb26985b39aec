/** Chooses the days that reports are of. */
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {PERIODS} from '../../app/question.js';
import {Menu, MenuItem} from '../menu.jsx';

export const PeriodPicker = ({question}) => (
  <Menu label={t(`period.${question.period}`)} title={t('period.title')} icon="calendar">
    {PERIODS.map((period) => (
      <MenuItem key={period} isChosen={period === question.period} onPick={() => go(withParams({period}))}>
        {t(`period.${period}`)}
      </MenuItem>
    ))}
  </Menu>
);
