/** The page of one recording: plays it beside what else is known of its session. */
import Player from 'rrweb-player';

import {plainRules, rewrite} from '../src/modules/replay/rewrite.js';
import {clock, find, hideState, read, showState, showTrouble, shortUrl, who} from './page.js';
import {isEmbedded, serveParent} from './embedded.js';
import {label, placed} from './story.js';

const STEP_MS = 5_000;
const TALLEST = 0.62; // of the window, or of the screen where the window is a frame that is made as high as needed
const STYLES = [
  'img { background: #8884; }',
  ':where(img:not([src])) { display: inline-block; }', // browsers give an image without a source no width otherwise
];
const FULL_SNAPSHOT = 2;
const META = 4;

const session = location.pathname.split('/').pop();
const asked = new URLSearchParams(location.search);
const ofSite = asked.get('site') ? `?${new URLSearchParams({site: asked.get('site')})}` : '';
const moment = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short'});

/** Returns the events in time order, without anything that could run or load. */
const readable = (events) => {
  const rules = plainRules();
  return events
    .filter((event) => Number.isFinite(event?.timestamp))
    .sort((a, b) => a.timestamp - b.timestamp)
    .map((event) => rewrite(event, rules))
    .filter(Boolean);
};

const sizes = (events) => events.filter(({type}) => type === META).map(({data}) => data);

/** Returns the size of the player's screen: as wide as there is room, and as high as the recorded window, in that. */
const fit = (frame) => {
  const width = find('player').clientWidth;
  const height = Math.min(
    (width * frame.height) / frame.width,
    (isEmbedded ? screen.availHeight : innerHeight) * TALLEST,
  );
  return {width, height: Math.round(height)};
};

const name = (element, text) => {
  element?.setAttribute('aria-label', text);
  if (element) element.title = text;
};

/** Gives rrweb's controls the names they lack. */
const nameControls = () => {
  const buttons = [...document.querySelectorAll('.rr-controller__btns button')];
  name(buttons[0], 'Play or pause');
  name(buttons.at(-1), 'Full screen');
  for (const button of buttons.slice(1, -1)) name(button, `Speed ${button.textContent.trim()}`);
  name(document.querySelector('.rr-controller__btns input'), 'Skip times without activity');
};

const play = (events) => {
  const frames = sizes(events);
  const largest = {
    width: Math.max(320, ...frames.map(({width}) => Number(width) || 0)),
    height: Math.max(200, ...frames.map(({height}) => Number(height) || 0)),
  };
  find('screen').hidden = false;
  const props = {
    events,
    ...fit(largest),
    autoPlay: false,
    maxScale: 1,
    insertStyleRules: STYLES,
    UNSAFE_replayCanvas: false,
    inactiveColor: '#8886', // for both colour schemes
    mouseTail: {strokeStyle: '#0f766e', lineWidth: 2},
  };
  const player = new Player({target: find('player'), props});
  player.getReplayer().iframe.inert = true; // nobody can tab into the recorded page
  player.getReplayer().iframe.title = 'The recorded page';
  nameControls();
  new ResizeObserver(() => {
    player.$set(fit(largest));
    player.triggerResize();
  }).observe(find('player'));
  return player;
};

const listenToKeys = (player) => {
  const {totalTime} = player.getMetaData();
  const last = totalTime + 1; // rrweb shows what was before a moment, not what was at it
  const go = (offset) => player.goto(Math.min(last, Math.max(0, offset)));
  const now = () => player.getReplayer().getCurrentTime();
  const keys = {
    ' ': () => player.toggle(),
    ArrowLeft: () => go(now() - STEP_MS),
    ArrowRight: () => go(now() + STEP_MS),
    Home: () => go(0),
    End: () => go(last),
  };
  addEventListener('keydown', (event) => {
    const isElsewhere = event.target.closest?.('a, button, input, select, [role=slider]');
    if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
};

const entry = ({event, offset}, player) => {
  const [what, whom] = label(event);
  const item = document.createElement('li');
  const button = Object.assign(document.createElement('button'), {type: 'button'});
  const time = Object.assign(document.createElement('span'), {className: 'time', textContent: clock(offset)});
  const words = Object.assign(document.createElement('span'), {className: 'what', textContent: what});
  if (whom) words.append(' ', Object.assign(document.createElement('b'), {textContent: whom}));
  button.append(time, words);
  button.addEventListener('click', () => player.goto(offset));
  item.append(button);
  return item;
};

const tell = (story, recording, player) => {
  const {startTime, endTime} = player.getMetaData();
  const events = placed(story?.events ?? [], {startTime, endTime, arrived: Date.parse(recording.started_at)});
  find('story').hidden = isEmbedded;
  find('no-events').hidden = events.length > 0;
  find('events').replaceChildren(...events.map((event) => entry(event, player)));
  const began = moment.format(new Date(recording.started_at ?? startTime));
  const facts = [story && who(story), shortUrl(recording.url), began, clock(endTime - startTime)];
  find('who').textContent = facts.filter(Boolean).join(' · ');
  if (isEmbedded) serveParent(player, events);
};

const open = async () => {
  showState('Loading the recording…');
  try {
    // Events may be kept for a shorter time than recordings, or not at all. Who embeds this asks for a visit by its id.
    const [recording, story] = await Promise.all([
      read(`/api/v1/replay/${session}${ofSite}`),
      read(`/sessions/${encodeURIComponent(asked.get('visit') ?? session)}${ofSite}`).catch(() => null),
    ]);
    const events = readable(recording.events);
    if (events.length < 2 || !events.some(({type}) => type === FULL_SNAPSHOT)) {
      showState(
        'Nothing to see yet',
        'The page was left before it was recorded, or its first part is still on the way.',
        open,
      );
      return;
    }
    const player = play(events);
    hideState();
    tell(story, recording, player);
    listenToKeys(player);
    player.goto(0);
  } catch (error) {
    find('screen').hidden = true;
    showTrouble(error, open);
  }
};

open();
