/** A page as it was recorded, as high as it is, for a page of this server that lays heat over it. */
import Player from 'rrweb-player';

import {plainRules, rewrite} from '../src/modules/replay/rewrite.js';
import {find, read} from './page.js';

const META = 4;
const TALLEST_PX = 30_000;
const STYLES = ['img { background: #8884; }', ':where(img:not([src])) { display: inline-block; }'];

const tell = (message) => parent !== window && parent.postMessage(message, location.origin);

/** Returns what a player needs to show the page: its size, and its nodes without anything that could run or load. */
const readable = ({url, width, height, type, data, timestamp}) => {
  const rules = plainRules();
  const meta = {type: META, data: {href: url, width, height}, timestamp: timestamp - 1};
  return [meta, {type, data, timestamp}].map((event) => rewrite(event, rules)).filter(Boolean);
};

const show = (page) => {
  const {width, height} = page;
  const props = {
    events: readable(page),
    width,
    height,
    maxScale: 1,
    autoPlay: false,
    showController: false,
    insertStyleRules: STYLES,
    UNSAFE_replayCanvas: false,
    mouseTail: false,
  };
  const player = new Player({target: find('page'), props});
  player.goto(2);
  const frame = player.getReplayer().iframe;
  frame.inert = true; // nobody can tab into the recorded page
  frame.title = 'The recorded page';
  const tall = Math.min(TALLEST_PX, Math.max(height, frame.contentDocument.documentElement.scrollHeight));
  frame.style.height = `${tall}px`; // rrweb gives it the height of the recorded window
  player.$set({width, height: tall});
  tell({snapshot: 'shown', width, height: tall, recordedAt: page.recorded_at});
};

read(`/api/v1/snapshot${location.search}`).then(show, () => tell({snapshot: 'missing'}));
