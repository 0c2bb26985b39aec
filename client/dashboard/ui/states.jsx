/** What stands where there is nothing to show: it loads, it is empty, or it went wrong. Each says what to do. */
import {t} from '../app/i18n.js';
import {Icon} from './icon.jsx';

export const Skeleton = ({rows = 5}) => (
  <div class="skeleton" role="status" aria-label={t('state.loading')}>
    {Array.from({length: rows}, (_, row) => (
      <span key={row} />
    ))}
  </div>
);

export const Empty = ({title, hint, children}) => (
  <div class="empty">
    <p class="empty-title">{title ?? t('state.empty')}</p>
    {hint && <p>{hint}</p>}
    {children}
  </div>
);

/** `onRetry` offers to try again. */
export const ErrorBox = ({title, hint, onRetry, children}) => (
  <div class="error-box" role="alert">
    <Icon name="warning" />
    <div>
      <p class="empty-title">{title}</p>
      {hint && <p>{hint}</p>}
      {children}
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {t('state.retry')}
        </button>
      )}
    </div>
  </div>
);

/** A path of a file at the beginning stays as it is. */
const begun = (text) => (/^\S*\//.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}`);
const sentence = (text) => (text ? `${begun(text)}${/[.?!]$/.test(text) ? '' : '.'}` : '');

/** Returns what to read of a Refusal: its title and a hint. */
export const wordsOf = (error) => {
  if (error?.status === 0) return [t('error.no_answer'), t('error.no_answer_hint')];
  if (error?.status === 403) return [t('error.forbidden'), sentence(error.hint)];
  return [sentence(error?.message) || t('error.broken'), sentence(error?.hint)];
};

/** Shows an answer of useAnswer: skeleton, error, or children(data). While it is renewed the old one stays, dimmed. */
export const Answered = ({answer, rows, children}) => {
  const {data, error, isLoading, reload} = answer;
  if (error) {
    const [title, hint] = wordsOf(error);
    return <ErrorBox title={title} hint={hint} onRetry={reload} />;
  }
  if (data === undefined) return <Skeleton rows={rows} />;
  return (
    <div class={isLoading ? 'answered stale' : 'answered'} aria-busy={isLoading}>
      {children(data)}
    </div>
  );
};
