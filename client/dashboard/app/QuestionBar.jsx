/** Above every report: of which days, compared with what, and filtered how. */
import {FilterChips} from '../ui/filters/FilterChips.jsx';
import {PeriodPicker} from '../ui/period/PeriodPicker.jsx';
import {useQuestion} from './question.js';

export const QuestionBar = ({isEmbedded}) => {
  const question = useQuestion();
  return (
    <div class="question">
      <FilterChips question={question} isEmbedded={isEmbedded} />
      <PeriodPicker question={question} />
    </div>
  );
};
