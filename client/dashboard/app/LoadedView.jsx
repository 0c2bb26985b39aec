/** Loads a view's code and shows it; what goes wrong inside of it is said in its place. */
import {Component} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {ErrorBox, Skeleton} from '../ui/states.jsx';
import {t} from './i18n.js';

class Guard extends Component {
  state = {error: null};

  static getDerivedStateFromError(error) {
    return {error};
  }

  render({children}, {error}) {
    if (!error) return children;
    return (
      <ErrorBox
        title={t('error.broken')}
        hint={String(error.message ?? error)}
        onRetry={() => this.setState({error: null})}
      />
    );
  }
}

/** `view` is one of views.js; its View gets {place}. */
export const LoadedView = ({view, place}) => {
  const [{View, error}, setLoaded] = useState({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    view.load().then(
      (module) => isWanted && setLoaded({View: module.View}),
      (found) => isWanted && setLoaded({error: found}),
    );
    return () => {
      isWanted = false;
    };
  }, [view, round]);
  if (error) {
    return (
      <ErrorBox title={t('error.not_loaded')} hint={t('error.not_loaded_hint')} onRetry={() => setRound(round + 1)} />
    );
  }
  if (!View) return <Skeleton rows={8} />;
  return (
    <Guard>
      <View place={place} />
    </Guard>
  );
};
