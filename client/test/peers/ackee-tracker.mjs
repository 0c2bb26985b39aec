import {received, report, show} from './browser.mjs';

show('https://ackee.example/start');
let tick;
globalThis.setInterval = (callback) => {
  tick = callback; // its 15 seconds pass when this script says so
};
const {create} = await import('ackee-tracker/src/scripts/main.js');
const ackee = create(process.argv[2], {detailed: true});
await new Promise((resolve) => ackee.record('d-1', undefined, resolve));
tick();
const action = await new Promise((resolve) => ackee.action('e-1', {key: 'Clicked', value: 1.5}, resolve));
ackee.updateAction(action, {key: 'Clicked twice'});
report(await received(4));
