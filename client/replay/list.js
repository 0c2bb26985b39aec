/** The list of recordings, newest first. */
import {count} from '../demo/format.js';
import {clock, find, hideState, read, showState, showTrouble, shortUrl} from './page.js';

const moment = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short'});

const cell = (content, className = '') => {
  const element = Object.assign(document.createElement('td'), {className});
  element.append(content);
  return element;
};

const asked = new URLSearchParams(location.search);

/** Returns such as "?site=shop", "" for nothing. */
const query = (fields) => {
  const told = Object.entries(fields).filter(([, value]) => value);
  return told.length ? `?${new URLSearchParams(told)}` : '';
};

const link = ({session, site, started_at: start}) =>
  Object.assign(document.createElement('a'), {
    href: `/replay/${encodeURIComponent(session)}${query({site})}`,
    textContent: moment.format(new Date(start)),
  });

const row = (recording) => {
  const element = document.createElement('tr');
  element.append(
    cell(link(recording)),
    cell(shortUrl(recording.page) || '–', 'address'),
    cell(recording.site),
    cell(clock(recording.seconds * 1000), 'number'),
  );
  return element;
};

const show = ({replays, before}) => {
  find('rows').replaceChildren(...replays.map(row));
  find('title').textContent = replays.length === 1 ? '1 recording' : `${count(replays.length)} recordings`;
  find('list').hidden = false;
  find('older').hidden = !before;
  if (before) find('older-link').href = query({site: asked.get('site'), before});
  hideState();
};

const open = async () => {
  showState('Loading the recordings…');
  try {
    const found = await read(`/api/v1/replays${location.search}`);
    if (found.replays.length) show(found);
    else if (asked.has('before')) showState('No older recording', 'These were all that are kept.');
    else showState('No recording yet', 'A site records after “visitor-tracker site set NAME --module replay”.');
  } catch (error) {
    showTrouble(error, open);
  }
};

open();
