/* global history */
import {received, report, show} from './browser.mjs';

show('https://example.com/start?utm_source=news');
const {default: module} = await import('plausible-tracker');
const plausible = module.default({domain: 'old.example', apiHost: process.argv[2]});
plausible.enableAutoPageviews();
history.pushState({}, '', '/next');
plausible.trackEvent('Signup', {props: {plan: 'pro', seats: 3}});
report(await received(3));
