import assert from 'node:assert/strict';
import {test} from 'node:test';

import {burstWatch} from '../src/modules/parts/bursts.js';
import {quietly} from '../src/modules/parts/quietly.js';
import {framesOf, ofExtension, placeOf, writeStack} from '../src/modules/parts/stack.js';

const HERE = 'https://example.com';
const written = (stack, message = '', most = 512) => writeStack(framesOf(stack, message), HERE, most);

for (const [name, message, stack, wanted] of [
  ['no stack', 'x', '', ''],
  [
    'Chromium',
    'x is not a function',
    `TypeError: x is not a function
    at render (https://example.com/static/app.js?v=2:10:5)
    at async Promise.all (index 0)
    at new Shop (https://cdn.example.org/shop.js:1:20301)
    at Object.<anonymous> (https://example.com/a.js:3:1)
    at https://example.com/:7:9
    at Array.map (<anonymous>)`,
    'render (/static/app.js:10:5) | async Promise.all (index) | new Shop (https://cdn.example.org/shop.js:1:20301)' +
      ' | Object.<anonymous> (/a.js:3:1) | ? (/:7:9) | Array.map (<anonymous>)',
  ],
  [
    'Firefox',
    'x is not a function',
    'render@https://example.com/static/app.js?v=2:10:5\nasync*load/<@https://example.com/b.js:2:1\n@https://example.com/:7:9\n',
    'render (/static/app.js:10:5) | async*load/< (/b.js:2:1) | ? (/:7:9)',
  ],
  [
    'Safari',
    "undefined is not an object (evaluating 'x.y')",
    'render@https://example.com/app.js:10:5\nmap@[native code]\nglobal code@https://example.com/:7:9',
    'render (/app.js:10:5) | map (native) | global code (/:7:9)',
  ],
  [
    'code that was evaluated',
    'no',
    `Error: no
    at eval (eval at run (https://example.com/a.js:1:2), <anonymous>:1:7)
    at blob:https://example.com/0a1b:1:1
    at data:text/javascript,secret():1:1`,
    'eval (eval:1:7) | ? (blob::1:1) | ? (data::1:1)',
  ],
  [
    'a message that looks like a stack',
    'ask john@example.com:1\n    at home (https://example.com/x.js:1:1)',
    `Error: ask john@example.com:1
    at home (https://example.com/x.js:1:1)
    at send (https://example.com/y.js:2:2)`,
    'send (/y.js:2:2)',
  ],
  ['a name and password', 'x', 'f@https://me:secret@example.com/a.js:1:1', 'f (/a.js:1:1)'],
]) {
  test(`a stack is short and the same from every browser: ${name}`, () => {
    assert.equal(written(stack, message), wanted);
  });
}

test('of a long stack the innermost frames stay that fit', () => {
  const stack = Array.from({length: 40}, (_, index) => `f${index}@https://example.com/app.js:${index}:1`).join('\n');
  const text = written(stack, '', 60);
  assert.equal(text, 'f0 (/app.js:0:1) | f1 (/app.js:1:1) | f2 (/app.js:2:1)');
  assert.ok(written(stack).length <= 512);
});

for (const piece of [
  `    at ${'a ('.repeat(5e4)}`,
  `x${'@'.repeat(1e5)}`,
  ' at '.repeat(1e5),
  `${'('.repeat(1e5)}:1:1`,
]) {
  test(`a stack that somebody made up is read to its end: ${piece.trim().slice(0, 8)}…`, () => {
    assert.ok(written(piece, 'm').length <= 512);
  });
}

test('scripts of extensions are told from those of pages', () => {
  const theirs = [
    'chrome-extension://a/b.js',
    'moz-extension://a',
    'safari-web-extension://a',
    'webkit-masked-url://h/',
  ];
  assert.deepEqual(theirs.filter(ofExtension), theirs);
  assert.deepEqual(['https://example.com/chrome-extension:', '/extension.js', ''].filter(ofExtension), []);
});

for (const [url, wanted] of [
  ['https://example.com/a/b.js?token=1#x', '/a/b.js'],
  ['https://example.com.evil.org/a.js', 'https://example.com.evil.org/a.js'],
  ['https://example.com', 'https://example.com'],
  ['blob:https://example.com/1', 'blob:'],
  ['<anonymous>', '<anonymous>'],
  ['', ''],
]) {
  test(`the place of ${url || 'nothing'} has nothing secret`, () => assert.equal(placeOf(url, HERE), wanted));
}

const click = (at, x = 10, y = 10) => ({at, x, y});

for (const [name, clicks, wanted] of [
  ['two clicks', [click(0), click(200)], [false, false]],
  ['three at one place', [click(0), click(200), click(400)], [false, false, true]],
  ['seven make one', [0, 200, 400, 600, 800, 1000, 1200].map((at) => click(at)), [2]],
  ['three that take longer', [click(0), click(600), click(1100)], [false, false, false]],
  ['three here and there', [click(0), click(100, 100), click(200, 10, 100)], [false, false, false]],
  ['three with a small tremor', [click(0), click(100, 30, 20), click(200, 20, 30)], [false, false, true]],
  ['two bursts with a pause', [0, 1, 2, 2000, 2001, 2002].map((at) => click(at)), [2, 5]],
]) {
  test(`a burst of clicks: ${name}`, () => {
    const watch = burstWatch();
    const found = clicks.map(watch);
    const places = found.flatMap((isBurst, index) => (isBurst ? [index] : []));
    assert.deepEqual(typeof wanted[0] === 'number' ? places : found, wanted);
  });
}

test('a listener throws nothing', () => {
  assert.equal(
    quietly(() => {
      throw new Error('no');
    })(),
    undefined,
  );
});
