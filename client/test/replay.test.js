import assert from 'node:assert/strict';
import {test} from 'node:test';

import {label, placed} from '../replay/story.js';
import {allowedAttribute, allowedTag} from '../src/modules/replay/allow.js';
import {cleanCss} from '../src/modules/replay/css.js';
import {maskInput, maskRules, stars} from '../src/modules/replay/mask.js';
import {plainRules, rewrite} from '../src/modules/replay/rewrite.js';

for (const [css, wanted] of [
  ['p { color: red }', 'p { color: red }'],
  ['p { background: url(https://example.com/a.png?user=1) }', 'p { background: url("") }'],
  ['p { background: URL( "a (1).png" ) no-repeat }', 'p { background: url("") no-repeat }'],
  [`p { background: url('a\\'b.png') }`, 'p { background: url("") }'],
  ['p { fill: url(#gradient); mask: url("#mask") }', 'p { fill: url(#gradient); mask: url("#mask") }'],
  ['p { background: url(data:image/png;base64,AA==) }', 'p { background: url(data:image/png;base64,AA==) }'],
  [`p { background: url("data:image/png,${'A'.repeat(5000)}") }`, 'p { background: url("") }'],
  ['p { background: url(data:text/html,x) }', 'p { background: url("") }'],
  ['@import url("a;b.css") screen; p { color: red }', ' p { color: red }'],
  ["@import 'a;b.css'; p { color: red }", ' p { color: red }'],
  ['@font-face { font-family: x; src: url(x.woff) } p { color: red }', ' p { color: red }'],
  ['a/* rr_split */b', 'a/* rr_split */b'],
]) {
  test(`of ${css.slice(0, 60)} nothing is left that is fetched`, () => assert.equal(cleanCss(css), wanted));
}

test('a style sheet of nonsense takes no time to clean', () => {
  for (const part of ['url(', '@import "', "url('\\", '@font-face{"', '@import ']) {
    const started = performance.now();
    cleanCss(part.repeat(20_000));
    assert.ok(performance.now() - started < 2_000, part);
  }
});

for (const tag of ['script', 'SCRIPT', 'base', 'object', 'embed', 'noscript', 'a b', '__proto__', '<img']) {
  test(`<${tag}> becomes an empty template`, () => assert.equal(allowedTag(tag), 'template'));
}

for (const [name, value, wanted, isDrawing] of [
  ['class', 'a b', 'a b'],
  ['onclick', 'x()', undefined],
  ['onload', 'x()', undefined, true],
  ['href', 'https://example.com/?token=1', '#'],
  ['href', 'javascript:x()', '#'],
  ['href', '#part', '#part'],
  ['xlink:href', 'https://example.com/a.svg#b', undefined, true],
  ['src', 'https://example.com/a.png', undefined],
  ['src', 'data:image/png;base64,AA==', 'data:image/png;base64,AA=='],
  ['src', 'data:text/html,x', undefined],
  ['srcset', 'a.png 2x', undefined],
  ['srcdoc', '<p>', undefined],
  ['action', '/form', undefined],
  ['data-user', 'Joe', ''],
  ['data-theme', 'dark', 'dark'],
  ['data-state', 'Joe Miller', ''],
  ['aria-expanded', 'true', 'true'],
  ['aria-checked', 'true', undefined],
  ['user-name', 'Joe', undefined],
  ['d', 'M0 0', 'M0 0', true],
  ['fill', 'url(https://example.com/a.svg#b)', 'url("")', true],
  ['attributeName', 'href', undefined, true],
  ['attributeName', 'opacity', 'opacity', true],
  ['rr_scrollTop', 9, 9],
  ['rr_dataURL', 'https://example.com/a.png', undefined],
  ['anything', null, null],
]) {
  test(`${name}="${value}" is kept as ${wanted}`, () => {
    assert.equal(allowedAttribute(name, value, isDrawing), wanted);
  });
}

test('changes of a style are cleaned one by one', () => {
  const change = {color: 'red', 'background-image': ['url(a.png)', 'important'], width: false};
  const wanted = {color: 'red', 'background-image': ['url("")', 'important'], width: false};
  assert.deepEqual(allowedAttribute('style', change), wanted);
});

test('stars keep lines and lengths', () => assert.equal(stars('Ab 1\n ü€'), '** *\n **'));

const input = (type, isPassword = false) => ({type, localName: 'input', hasAttribute: () => isPassword});
for (const [name, element, wanted] of [
  ['text', input('text'), '****'],
  ['a text area', {...input('textarea'), localName: 'textarea'}, '****'],
  ['a password', input('password'), ''],
  ['a password that is shown', input('text', true), ''],
  ['a hidden field', input('hidden'), ''],
  ['a file', input('file'), ''],
  ['a choice', {...input('select-one'), localName: 'select'}, ''],
  ['a number', input('number'), ''],
]) {
  test(`of ${name} "${wanted}" is recorded`, () => assert.equal(maskInput('1234', element), wanted));
}

const typed = (type) => {
  const data = {source: 5, id: 1, text: '1234', isChecked: true};
  return rewrite(
    {type: 3, timestamp: 1, data},
    maskRules(() => input(type), true),
  );
};

test('what is typed is masked again, whatever the recorder did', () => {
  assert.deepEqual(typed('text').data, {source: 5, id: 1, text: '****', isChecked: false});
  for (const type of ['checkbox', 'radio', 'hidden', 'password']) assert.equal(typed(type), null);
});

const picture = (element, src = 'https://example.com/user-17.png', changes = false) => {
  const rules = maskRules(() => element);
  const attributes = {src};
  const event = changes
    ? {source: 0, adds: [], removes: [], texts: [], attributes: [{id: 2, attributes}]}
    : {node: {type: 2, id: 2, tagName: 'img', attributes, childNodes: []}};
  const kept = rewrite({type: changes ? 3 : 2, timestamp: 1, data: event}, rules);
  return changes ? kept : kept.data.node.attributes.src;
};

test('of a picture from elsewhere its size is recorded', () => {
  const element = {localName: 'img', complete: true, naturalWidth: 200, naturalHeight: 120};
  assert.match(picture(element), /^data:image\/svg\+xml,.*width='200' height='120'/);
  assert.match(picture({localName: 'img', complete: false, naturalWidth: 0}), /^data:image\/gif/);
  assert.equal(picture({localName: 'img', complete: true, naturalWidth: 0}), undefined);
  assert.equal(picture({localName: 'iframe'}), undefined);
  assert.equal(picture(null), undefined);
  assert.equal(picture(element, null), null);
  assert.equal(picture(element, 'https://example.com/user-18.png', true), null);
});

const snapshot = (...childNodes) => ({
  type: 2,
  timestamp: 1,
  data: {node: {type: 0, id: 1, childNodes}, initialOffset: {left: 0, top: 0}},
});
const element = (tagName, attributes, ...childNodes) => ({type: 2, id: 2, tagName, attributes, childNodes});
const rewritten = (...childNodes) => rewrite(snapshot(...childNodes), plainRules()).data.node.childNodes;

test('what runs is an empty template without text', () => {
  const [kept] = rewritten(element('script', {src: 'x'}, {type: 3, id: 3, textContent: 'x()'}));
  assert.deepEqual(kept, element('template', {}, {type: 3, id: 3, textContent: ''}));
});

test('a link keeps nothing but its style sheet', () => {
  const [kept] = rewritten(element('link', {rel: 'stylesheet', href: 'x', _cssText: 'p{}', media: 'print'}));
  assert.deepEqual(kept.attributes, {_cssText: 'p{}', media: 'print'});
});

test('a meta element keeps colour scheme and viewport only', () => {
  const kept = rewritten(
    element('meta', {name: 'color-scheme', content: 'dark'}),
    element('meta', {'http-equiv': 'refresh', content: '0;url=x'}),
    element('meta', {name: 'description', content: 'x'}),
  );
  assert.deepEqual(
    kept.map(({attributes}) => attributes),
    [{name: 'color-scheme', content: 'dark'}, {}, {}],
  );
});

test('the player knows what later events change', () => {
  const rules = plainRules();
  rewrite(snapshot({...element('style', {}, {type: 3, id: 3, textContent: ''})}), rules);
  const data = {source: 0, adds: [], removes: [], attributes: [], texts: [{id: 3, value: 'p{background:url(x)}'}]};
  const {data: kept} = rewrite({type: 3, timestamp: 1, data}, rules);
  assert.equal(kept.texts[0].value, 'p{background:url("")}');
});

for (const [name, event] of [
  ['a canvas', {type: 3, data: {source: 9}}],
  ['a font', {type: 3, data: {source: 10}}],
  ['a source of another name', {type: 3, data: {source: 'constructor'}}],
  ['a custom event', {type: 5, data: {}}],
  ['an event of another name', {type: 'constructor', data: {}}],
  ['a change of nothing', {type: 3, data: {source: 0, adds: [], removes: [], texts: [], attributes: []}}],
]) {
  test(`${name} is left out`, () => assert.equal(rewrite(event, plainRules()), null));
}

test('the address of a page goes without query and fragment', () => {
  const event = {type: 4, timestamp: 1, data: {href: 'https://example.com/a?b=c#d', width: 1, height: 2}};
  assert.deepEqual(rewrite(event, plainRules()).data, {href: 'https://example.com/a', width: 1, height: 2});
});

const at = (second) => ({type: 'pageview', timestamp: `2026-01-01T00:00:${second}Z`});
const offsets = (events, times) => placed(events, times).map(({offset}) => offset);
const START = Date.parse('2026-01-01T00:00:00Z');

test('events stand where the recording was at their time', () => {
  const events = [at('05'), at('01'), at('nonsense'), at('59')];
  assert.deepEqual(offsets(events, {startTime: START, endTime: START + 10_000, arrived: 7}), [1_000, 5_000, 10_000]);
});

test('what happened long before or after the recording is not in its list', () => {
  const events = [Date.parse('2025-12-31T23:58:00Z'), START + 1_000, START + 80_000].map((time) => ({
    timestamp: new Date(time).toISOString(),
  }));
  assert.deepEqual(offsets(events, {startTime: START, endTime: START + 10_000, arrived: 7}), [1_000]);
});

test("where the visitor's clock is wrong, the recording began when it arrived", () => {
  const times = {startTime: 0, endTime: 10_000, arrived: START + 2_000};
  assert.deepEqual(offsets([at('01'), at('03'), at('05')], times), [0, 1_000, 3_000]);
  assert.deepEqual(offsets([at('03'), at('05')], {...times, arrived: NaN}), [0, 2_000]);
  assert.deepEqual(offsets([], times), []);
});

test('events of unknown types are told by their names', () => {
  assert.deepEqual(label({type: 'custom', name: 'Order'}), ['Order', '']);
  assert.deepEqual(label({type: 'constructor'}), ['constructor', '']);
  assert.deepEqual(label({type: 'pageview', href: 'https://example.com/a'}), ['Viewed', 'example.com/a']);
});
