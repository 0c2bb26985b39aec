import {hide, received, report, show} from './browser.mjs';

show('https://example.com/start');
const {init, track} = await import('@plausible-analytics/tracker');
init({domain: 'new.example,all.example', endpoint: `${process.argv[2]}/api/event`});
track('Purchase', {props: {size: 'L'}, revenue: {amount: 19.9, currency: 'EUR'}});
track('Outbound Link: Click', {props: {url: 'https://other.example/'}});
track('Seen', {interactive: false});
hide();
report(await received(5));
