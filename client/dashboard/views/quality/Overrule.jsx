/** Says what a visitor is, whatever the rules find; before that it says what becomes of the numbers. */
import {at, send} from '../../app/api.js';
import {forgetAnswers} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {fullTime} from '../../ui/chart/times.js';
import {Confirm} from '../../ui/dialog.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';

export const Overrule = ({row: {visitor, day, final: isFinal}, word, site, behaviour, onDone, onClose}) => {
  const change = async () => {
    try {
      await send('PUT', at`/api/v1/robots/visitors/${visitor}`, {day, verdict: word}, {query: {site}});
      forgetAnswers(); // the numbers of that day will be others
      say(t('verdicts.said'));
      onDone();
    } catch (error) {
      sayTrouble(error);
    }
    onClose();
  };
  const values = {visitor: visitor.slice(0, 8), day: fullTime(day, 'day')};
  return (
    <Confirm
      title={t(`verdicts.say.${word}`)}
      text={t(`verdicts.confirm.${word}`, values)}
      yes={t(`verdicts.say.${word}`)}
      onYes={change}
      onClose={onClose}
    >
      <p class="g-note">
        {t(
          behaviour !== 'exclude' && word === 'rules'
            ? 'verdicts.then_listed'
            : isFinal
              ? 'verdicts.then'
              : 'verdicts.then_tonight',
        )}{' '}
        {t('verdicts.holds')}
      </p>
    </Confirm>
  );
};
