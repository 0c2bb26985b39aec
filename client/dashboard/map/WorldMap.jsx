/** A map of the world, whose shapes are loaded when it is first shown. */
import {useEffect, useState} from 'preact/hooks';
import {t} from '../app/i18n.js';
import {ErrorBox, Skeleton} from '../ui/states.jsx';

/**
 * `values` by ISO 3166-1 code colour the countries, `marks` put a point into them; `show` writes a value, `label` says what it
 * is. `onPick(code)` is called when a country that has a value is chosen, by pointer or keyboard.
 */
export const WorldMap = (asked) => {
  const [{MapFigure, isBroken}, setLoaded] = useState({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    import('./MapFigure.jsx').then(
      (found) => isWanted && setLoaded({MapFigure: found.MapFigure}),
      () => isWanted && setLoaded({isBroken: true}),
    );
    return () => {
      isWanted = false;
    };
  }, [round]);
  if (isBroken) {
    return (
      <ErrorBox title={t('map.not_loaded')} hint={t('error.not_loaded_hint')} onRetry={() => setRound(round + 1)} />
    );
  }
  return MapFigure ? <MapFigure {...asked} /> : <Skeleton rows={6} />;
};
