/** Starts the dashboard. */
import {render} from 'preact';
import {App} from './app/App.jsx';
import {setLanguage, t} from './app/i18n.js';
import {loadSession} from './app/session.js';
import './app/theme.js';
import {ErrorBox} from './ui/states.jsx';

const root = document.getElementById('app');

const start = async () => {
  await setLanguage().catch(() => setLanguage('en'));
  try {
    await loadSession();
  } catch (error) {
    render(
      <ErrorBox title={t('error.no_answer')} hint={error.message || t('error.no_answer_hint')} onRetry={start} />,
      root,
    );
    return;
  }
  render(<App />, root);
};

root.replaceChildren();
start();
