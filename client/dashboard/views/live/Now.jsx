/** How many are here, and what the last half hour was like. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {clock, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';

const TOLD_MS = 30_000;
const HEIGHT = 100;
const WIDTH = 10; // of a bar with its gap
const STEPS = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity};

const minuteText = ({time, views}) =>
  t('live.minute', {
    time: clock(time).replace(/:\d\d(?=\D*$)/, ''),
    views: t('live.views', {count: views, number: whole(views)}),
  });

/** Says aloud who is here when that has changed, but not more often than every half minute. */
const Told = ({now}) => {
  const [text, setText] = useState('');
  const newest = useRef(now);
  newest.current = now;
  useEffect(() => {
    const timer = setInterval(() => setText(t('live.told', {count: newest.current})), TOLD_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="unseen" role="status" aria-live="polite">
      {text}
    </p>
  );
};

const Bars = ({minutes}) => {
  const [chosen, setChosen] = useState(null);
  const most = Math.max(1, ...minutes.map(({views}) => views));
  const last = minutes.length - 1;
  const onKeyDown = (event) => {
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, (chosen ?? last + 1) + STEPS[event.key])));
  };
  const onPointerMove = ({currentTarget, clientX}) => {
    const {left, width} = currentTarget.getBoundingClientRect();
    setChosen(Math.max(0, Math.min(last, Math.floor(((clientX - left) / width) * minutes.length))));
  };
  const shown = minutes[chosen ?? last];
  return (
    <div
      class="minutes"
      role="slider"
      tabIndex={0}
      aria-label={t('live.minutes')}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={chosen ?? last}
      aria-valuetext={minuteText(shown)}
      onKeyDown={onKeyDown}
      onBlur={() => setChosen(null)}
    >
      <svg
        viewBox={`0 0 ${minutes.length * WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        onPointerMove={onPointerMove}
        onPointerLeave={() => setChosen(null)}
      >
        {minutes.map(({time, views}, place) => {
          const height = views ? Math.max(3, (views / most) * HEIGHT) : 1;
          return (
            <rect
              key={time}
              class={place === chosen ? 'chosen' : ''}
              x={place * WIDTH}
              y={HEIGHT - height}
              width={WIDTH - 2}
              height={height}
            />
          );
        })}
      </svg>
      <p class="soft" aria-hidden="true">
        {minuteText(shown)}
      </p>
    </div>
  );
};

export const Now = ({live}) => (
  <Panel title={t('live.now')} class="live-now">
    <p class="live-number">
      <strong>{whole(live.now)}</strong> <span class="soft">{t('live.now_unit', {count: live.now})}</span>
    </p>
    <dl class="live-figures">
      <div>
        <dt>{t('live.visitors', {minutes: live.visitors_minutes})}</dt>
        <dd>{whole(live.visitors)}</dd>
      </div>
      <div>
        <dt>{t('live.views_label')}</dt>
        <dd>{whole(live.views)}</dd>
      </div>
    </dl>
    <h3>{t('live.minutes')}</h3>
    <Bars minutes={live.minutes} />
    <Told now={live.now} />
  </Panel>
);
