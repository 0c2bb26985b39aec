/** What to put into the pages of a site, by what they are made with. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Copyable} from '../../ui/copy.jsx';
import {Tabs} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';

const KINDS = [
  ['html', 'HTML'],
  ['react', 'React'],
  ['next', 'Next.js'],
  ['vue', 'Vue'],
  ['wordpress', 'WordPress'],
  ['nginx', 'nginx'],
  ['caddy', 'Caddy'],
];
const PROXIES = ['nginx', 'caddy'];

export const Snippet = ({site}) => {
  const [kind, setKind] = useState('html');
  const answer = useAnswer(at`/api/v1/sites/${site}/snippet`, {for: kind, base: location.origin});
  return (
    <div class="stack">
      <Tabs label={t('snippet.kind')} choices={KINDS} chosen={kind} onChoose={setKind} />
      <p class="soft">
        {t(PROXIES.includes(kind) ? 'snippet.proxy' : `snippet.${kind === 'html' ? 'html' : 'program'}`)}
      </p>
      <Answered answer={answer} rows={2}>
        {({snippet, is_guess: isGuess}) => (
          <>
            <Copyable label={t('snippet.title')} text={snippet} />
            {isGuess && <p class="soft">{t('snippet.guess', {origin: location.origin})}</p>}
          </>
        )}
      </Answered>
    </div>
  );
};
