import http from 'node:http';

import MatomoTracker from 'matomo-tracker';

import {report} from './browser.mjs';

const get = http.get;
http.get = (...sent) => get(...sent).on('response', (answer) => answer.resume()); // else Node waits until it is read
const matomo = new MatomoTracker(7, `${process.argv[2]}/matomo.php`);
matomo.on('error', (error) => {
  throw new Error(`refused: ${error}`);
});
const url = 'https://example.com/shop';
matomo.track(url);
matomo.track({url, action_name: 'Shop', _id: '0123456789abcdef', res: '1920x1080', urlref: 'https://search.example/'});
const bulk = [
  {url, e_c: 'Video', e_a: 'Play', e_n: 'Intro', e_v: 7},
  {url, ping: 1},
  {url, link: 'https://other.example/'},
];
matomo.trackBulk(bulk, (answer) => report([JSON.parse(answer)]));
