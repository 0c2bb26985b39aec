/** A page as it was recorded, in a frame where nothing of it can run, with its heat over it. */
import simpleheat from 'simpleheat';
import {useEffect, useRef, useState} from 'preact/hooks';
import {percent} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {bandsOf, cellAt, heightOf, hottest, placeOf, pointsOf, WIDTHS} from './heat.js';

const RADIUS_PX = 14;
const BLUR_PX = 12;
const CANVAS_MOST_PX = 12_000; // higher ones browsers do not draw
const FAINTEST = 0.12;

/** Listens to what the page in the frame says of its size: {width, height}, null until it does or where it cannot. */
const useSnapshot = (frame, key) => {
  const [size, setSize] = useState(null);
  useEffect(() => {
    setSize(null);
    const onMessage = ({source, origin, data}) => {
      if (!frame.current || source !== frame.current.contentWindow || origin !== location.origin) return;
      const [width, height] = [Number(data?.width), Number(data?.height)];
      if (data?.snapshot === 'shown' && width > 0 && height > 0) setSize({width, height});
    };
    addEventListener('message', onMessage);
    return () => removeEventListener('message', onMessage);
  }, [key]);
  return size;
};

const useWidth = (box) => {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([{contentRect}]) => setWidth(Math.floor(contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return width;
};

const Points = ({heat, width, height, scale, opacity}) => {
  const canvas = useRef(null);
  const tall = Math.min(CANVAS_MOST_PX, Math.round(height * scale));
  useEffect(() => {
    if (!width) return;
    canvas.current.width = width;
    canvas.current.height = tall;
    const drawn = simpleheat(canvas.current).radius(RADIUS_PX, BLUR_PX).max(hottest(heat.cells));
    drawn.data(pointsOf(heat, width, scale)).draw(FAINTEST);
  }, [heat, width, tall, scale]);
  return <canvas ref={canvas} class="heat-points" style={{opacity}} aria-hidden="true" />;
};

const Bands = ({heat, height, scale, opacity}) => (
  <div class="heat-bands" aria-hidden="true">
    {bandsOf(heat, height).map((band) => (
      <div
        key={band.top}
        style={{
          top: `${band.top * scale}px`,
          height: `${band.height * scale}px`,
          '--share': `${Math.round(band.share * 100)}%`,
          '--strength': opacity,
        }}
      >
        <span>{percent(band.share, 0)}</span>
      </div>
    ))}
  </div>
);

const Mark = ({near, heat, scale}) => {
  const place = placeOf(near, heat);
  if (!place) return null;
  return <span class="heat-mark" aria-hidden="true" style={{left: `${place.x * 100}%`, top: `${place.y * scale}px`}} />;
};

const address = ({url, viewport}, site) => `/snapshot?${new URLSearchParams({site, url, viewport})}`;

/** `onSpot` gets the cell that is clicked; by keyboard one chooses it in the table beside. */
export const Picture = ({heat, site, opacity, mayShow, near, onSpot}) => {
  const box = useRef(null);
  const frame = useRef(null);
  const isShown = heat.snapshot && mayShow;
  const recorded = useSnapshot(frame, `${heat.url} ${heat.viewport}`);
  const size = (isShown && recorded) || {width: WIDTHS[heat.viewport], height: heightOf(heat)};
  const room = useWidth(box);
  const scale = Math.min(1, room / size.width);
  const width = Math.round(size.width * scale);
  const onClick = ({currentTarget, clientX, clientY}) => {
    const {left, top} = currentTarget.getBoundingClientRect();
    onSpot(cellAt({x: (clientX - left) / width, y: (clientY - top) / scale}, heat));
  };
  const over = {heat, width, scale, opacity, height: size.height};
  return (
    <div class="heat-room" ref={box}>
      {/* A box that scrolls must be reachable by keyboard. */}
      <div class="heat-box" tabIndex={0} role="img" aria-label={t('heat.picture', {page: heat.url})}>
        <div
          class={onSpot ? 'heat-page picked' : 'heat-page'}
          style={{width: `${width}px`, height: `${Math.round(size.height * scale)}px`}}
          onClick={onSpot && onClick}
        >
          {isShown && (
            <iframe
              ref={frame}
              key={`${heat.url} ${heat.viewport}`}
              title={heat.url}
              tabIndex={-1}
              src={address(heat, site)}
              style={{width: `${size.width}px`, height: `${size.height}px`, transform: `scale(${scale})`}}
            />
          )}
          {heat.kind === 'scroll' ? <Bands {...over} /> : <Points {...over} />}
          {near && <Mark near={near} heat={heat} scale={scale} />}
        </div>
      </div>
    </div>
  );
};
