/** The demo page: counts itself, and shows what the client does. */
import {VisitorTracker} from './visitor-tracker.js';
import {whenActive} from '../src/when-active.js';
import * as format from './format.js';
import {badgeTag, copy, moduleScript, scriptTag} from './snippets.js';
import {explain} from './trouble.js';
import {watchRequests} from './wire.js';

const ROWS_SHOWN = 8;
const REFRESH_MS = 10_000;

const find = (id) => document.getElementById(id);
const server = new URL('.', location.href).href;
const tracker = new VisitorTracker(server);
const trouble = find('trouble');
let last = {status: 0};
let again = () => {};

const cell = (text, className = '') => Object.assign(document.createElement('td'), {textContent: text, className});

const showExchange = (exchange) => {
  last = exchange;
  const row = document.createElement('tr');
  row.append(
    cell(`${exchange.method} ${exchange.path}`, 'request'),
    cell(exchange.status || 'no answer', exchange.status >= 200 && exchange.status < 300 ? 'good' : 'bad'),
    cell(exchange.tracker ?? '–'),
    cell(format.milliseconds(exchange.milliseconds), 'number'),
  );
  find('wire').prepend(row);
  while (find('wire').rows.length > ROWS_SHOWN) find('wire').lastElementChild.remove();
};

const showTrouble = (retry) => {
  const [title, advice] = explain(last);
  find('trouble-title').textContent = title;
  find('trouble-advice').textContent = advice;
  again = retry;
  trouble.hidden = false;
};

/** Runs one piece of work at a time per button, and shows trouble when it gives null. */
const run = async (buttons, work, retry) => {
  if (buttons[0].getAttribute('aria-disabled') === 'true') return null;
  // aria-disabled, not disabled: the keyboard's focus stays where it is
  for (const button of buttons) button.setAttribute('aria-disabled', 'true');
  const answer = await work();
  for (const button of buttons) button.removeAttribute('aria-disabled');
  if (answer) trouble.hidden = true;
  else showTrouble(retry);
  return answer;
};

const showVisit = (visit) => {
  const count = find('count');
  count.textContent = visit.pending ? '…' : format.count(visit.visit_count);
  count.classList.remove('fresh');
  void count.offsetWidth; // starts the animation anew
  count.classList.add('fresh');
  if (visit.created_at) find('first-visit').replaceChildren(format.timeElement(visit.created_at));
  if (visit.last_visited) find('latest-visit').replaceChildren(format.timeElement(visit.last_visited));
  find('verdict').textContent = visit.pending
    ? 'counted; the number follows when the database is back'
    : (last.tracker ?? `${last.status}`);
};

const countThisPage = async () => {
  const visit = await run([find('count-again')], () => tracker.updateVisitorCount(), countThisPage);
  if (visit) showVisit(visit);
  return visit;
};

const lookUp = async (action) => {
  const url = find('page-url');
  const buttons = [...find('lookup').querySelectorAll('button')];
  const address = url.value.trim();
  if (!/^https?:\/\/./i.test(address)) {
    find('lookup-result').textContent = 'Write the whole address, such as https://example.com/about.';
    url.setAttribute('aria-invalid', 'true');
    url.focus();
    return;
  }
  url.removeAttribute('aria-invalid');
  const work = () => (action === 'count' ? tracker.updateVisitorCount(address) : tracker.getVisitorCount(address));
  const page = await run(buttons, work, () => lookUp(action));
  if (!page) return;
  const [found, rest] = page.pending
    ? ['Counted', ` a visit to ${page.page_url}; its number follows when the database is back`]
    : [format.visits(page.visit_count), ` to ${page.page_url}`];
  find('lookup-result').replaceChildren(
    Object.assign(document.createElement('strong'), {textContent: found}),
    rest,
    ...(page.last_visited ? [', the latest ', format.timeElement(page.last_visited)] : []),
  );
};

const showBadge = () => {
  const address = tracker.badgeUrl();
  find('badge').src = address;
  find('badge').alt = 'Badge with the number of visits to this page';
  find('badge-code').textContent = badgeTag(address);
};

const showSnippets = () => {
  find('script-code').textContent = scriptTag(server);
  find('module-code').textContent = moduleScript(server);
  find('local-note').hidden = !/^(localhost|127\..*|\[::1\])$/.test(location.hostname);
};

const listen = () => {
  find('count-again').addEventListener('click', countThisPage);
  find('trouble-retry').addEventListener('click', () => again());
  find('lookup').addEventListener('submit', (event) => {
    event.preventDefault();
    lookUp(event.submitter?.value ?? 'read');
  });
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.addEventListener('click', () => copy(find(button.dataset.copy), button));
  }
};

setInterval(format.refreshTimes, REFRESH_MS);
watchRequests(showExchange);
listen();
showSnippets();
whenActive(async () => {
  await countThisPage();
  showBadge(); // after the visit, so that it shows it
});
