/** What one record stands for, by the policy of the site. */
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {hasText, t} from '../../app/i18n.js';

export const PolicyNote = ({site}) => {
  const {data} = useAnswer(at`/api/v1/sites/${site}`);
  const policy = data?.policy?.visitor;
  return hasText(`visitors.policy.${policy}`) ? <p class="soft">{t(`visitors.policy.${policy}`)}</p> : null;
};
