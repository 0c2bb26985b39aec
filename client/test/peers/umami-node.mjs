import umami from '@umami/node';

import {report} from './browser.mjs';

const website = '94db1cb1-74f4-4a40-ad6c-962362670409';
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const page = {hostname: 'example.com', url: '/docs?a=1', title: 'Docs', referrer: 'https://search.example/'};
const browser = new umami.Umami({websiteId: website, hostUrl: process.argv[2], userAgent: chrome});
const server = new umami.Umami({websiteId: website, hostUrl: process.argv[2]});
const answers = [];
for (const send of [
  () => browser.track(page),
  () => browser.track({...page, name: 'signup', data: {plan: 'pro', user: {seats: 3}}}),
  () => browser.identify({plan: 'pro'}),
  () => server.track('job', {ok: true}),
]) {
  const response = await send();
  const tracker = response.headers.get('x-tracker');
  answers.push({status: response.status, tracker, body: await response.text()});
}
report(answers);
