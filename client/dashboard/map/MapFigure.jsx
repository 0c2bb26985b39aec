/** The map itself; WorldMap loads it when it is shown. */
import {useCallback, useMemo, useRef, useState} from 'preact/hooks';
import {country, flag, whole} from '../app/format.js';
import {t} from '../app/i18n.js';
import {levelOf, ranked} from './levels.js';
import {HEIGHT, SHAPES, WIDTH, shapeBy} from './shapes.js';

const STEPS = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};

const Land = ({values, most, active}) =>
  SHAPES.map(({code, path}, place) => (
    <path
      key={code || place}
      d={path}
      data-code={code}
      class={`land level-${levelOf(values[code], most)}${code && code === active ? ' active' : ''}`}
    />
  ));

const Marks = ({marks}) =>
  ranked(marks)
    .filter(([code]) => shapeBy.has(code))
    .map(([code, value]) => {
      const {x, y} = shapeBy.get(code);
      return <circle key={code} class="mark" data-code={code} cx={x} cy={y} r={Math.min(9, 3 + Math.log2(value))} />;
    });

const Tip = ({code, values, show}) => {
  const shape = shapeBy.get(code);
  if (!shape) return null;
  const style = {insetInlineStart: `${(shape.x / WIDTH) * 100}%`, insetBlockStart: `${(shape.y / HEIGHT) * 100}%`};
  return (
    <p class="map-tip" style={style} aria-hidden="true">
      {flag(code)} {country(code)} <strong>{show(values[code] ?? 0)}</strong>
    </p>
  );
};

/** Rows for those who do not see the map: one of them is a tab stop, arrows go on, Enter picks. */
const Rows = ({rows, label, show, active, onActive, onPick}) => {
  const list = useRef(null);
  const chosen = Math.max(
    0,
    rows.findIndex(([code]) => code === active),
  );
  const onKeyDown = (event) => {
    const next = chosen + (STEPS[event.key] ?? NaN);
    if (!rows[next]) return;
    event.preventDefault();
    list.current.querySelectorAll('[tabindex]')[next].focus();
  };
  const Row = onPick ? 'button' : 'span';
  return (
    <table class="unseen" ref={list} onKeyDown={onKeyDown}>
      <caption>{label}</caption>
      <tbody>
        {rows.map(([code, value], place) => (
          <tr key={code}>
            <th scope="row">
              <Row
                type={onPick && 'button'}
                tabIndex={place === chosen ? 0 : -1}
                onFocus={() => onActive(code)}
                onBlur={() => onActive('')}
                onClick={() => onPick?.(code)}
              >
                {country(code)}
              </Row>
            </th>
            <td>{show(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const Elsewhere = ({rows, show}) => {
  const names = rows.filter(([code]) => !shapeBy.has(code)).map(([code, value]) => `${country(code)} ${show(value)}`);
  return names.length > 0 && <p class="soft map-elsewhere">{t('map.elsewhere', {names: names.join(', ')})}</p>;
};

/** See WorldMap. */
export const MapFigure = ({values, marks = {}, onPick, label, show = whole}) => {
  const [active, setActive] = useState('');
  const rows = useMemo(() => ranked(values), [values]);
  const codeOf = useCallback(({target}) => (values[target.dataset?.code] > 0 ? target.dataset.code : ''), [values]);
  const most = rows[0]?.[1] ?? 0;
  return (
    <div class={onPick ? 'map picks' : 'map'} role="group" aria-label={label}>
      <div class="map-plane">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          aria-hidden="true"
          onPointerOver={(event) => setActive(codeOf(event))}
          onPointerLeave={() => setActive('')}
          onClick={(event) => codeOf(event) && onPick?.(codeOf(event))}
        >
          <Land values={values} most={most} active={active} />
          <Marks marks={marks} />
        </svg>
        <Tip code={active} values={values} show={show} />
      </div>
      <Rows rows={rows} label={label} show={show} active={active} onActive={setActive} onPick={onPick} />
      <Elsewhere rows={rows} show={show} />
    </div>
  );
};
