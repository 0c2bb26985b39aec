/** Journeys as a drawing: columns of pages, and ribbons as wide as the visits that went from one to the next. */
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {withParams} from '../../app/place.js';
import {BAR, isPage, layout} from './layout.js';

export const pageName = (page) =>
  ({'(other)': t('journeys.other'), '(exit)': t('journeys.exit'), '(entry)': t('journeys.entry')})[page] ?? page;

const Node = ({node, width, total, action, onActive, isActive}) => {
  const text = t('journeys.node', {
    page: pageName(node.page),
    count: node.visits,
    number: whole(node.visits),
    share: percent(node.visits / total),
  });
  const rest = {
    class: `flow-node${isActive ? ' active' : ''}${isPage(node) ? '' : ' rest'}`,
    style: {left: `${node.x}px`, top: `${node.y}px`, width: `${width - 24}px`},
    title: text,
    onPointerEnter: () => onActive(node.id),
    onPointerLeave: () => onActive(''),
    onFocus: () => onActive(node.id),
    onBlur: () => onActive(''),
  };
  const inside = (
    <>
      <span class="flow-bar" style={{height: `${node.height}px`, width: `${BAR}px`}} />
      <span class="flow-label">
        <span class="flow-page">{pageName(node.page)}</span> <b>{whole(node.visits)}</b>
      </span>
    </>
  );
  if (!isPage(node)) {
    return (
      <span {...rest} tabIndex={0} role="note" aria-label={text}>
        {inside}
      </span>
    );
  }
  return (
    <a {...rest} href={withParams({start: node.page})} aria-label={`${text} ${action}`}>
      {inside}
    </a>
  );
};

/** Returns [a ref for a box, how wide the box is]. */
const useWidth = () => {
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([{contentRect}]) => setWidth(Math.floor(contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [box, width];
};

export const Flow = ({answer}) => {
  const [box, room] = useWidth();
  const drawn = useMemo(() => layout(answer.links, answer.direction, room), [answer, room]);
  const {nodes, ribbons, width, height, column} = drawn;
  const [active, setActive] = useState('');
  return (
    <div class="flow-box" ref={box} tabIndex={0} role="region" aria-label={t('journeys.drawing')}>
      <div class="flow" style={{width: `${width}px`, height: `${height}px`}}>
        <svg width={width} height={height} aria-hidden="true">
          {ribbons.map(({id, from, to, path}) => (
            <path key={id} class={active && (from === active || to === active) ? 'on' : ''} d={path} />
          ))}
        </svg>
        {nodes.map((node) => (
          <Node
            key={node.id}
            node={node}
            width={column}
            total={answer.visits}
            action={t(answer.direction === 'next' ? 'journeys.start_here' : 'journeys.lead_here')}
            isActive={node.id === active}
            onActive={setActive}
          />
        ))}
      </div>
    </div>
  );
};
