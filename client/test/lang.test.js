/** Every language of the dashboard has every text, with the same places to fill in. */
import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {test} from 'node:test';

const FOLDER = new URL('../dashboard/lang/', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
const languages = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const english = read('en.json');

const forms = (message) => (typeof message === 'string' ? [message] : Object.values(message));
const places = (text) => [...new Set(text.match(/\{\w+\}/g))].sort().join();

test('there are English and at least two more', () => {
  assert.ok(languages.includes('en.json'));
  assert.ok(languages.length >= 3);
});

for (const name of languages) {
  test(`${name} has the texts of English`, () => {
    const messages = read(name);
    assert.deepEqual(Object.keys(messages).sort(), Object.keys(english).sort());
    const code = name.replace('.json', '');
    const known = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
    for (const [key, message] of Object.entries(messages)) {
      for (const text of forms(message)) assert.ok(text.trim(), `${key} is empty`);
      const wanted = new Set(forms(english[key]).map(places));
      const own = new Set(forms(message).map(places));
      assert.ok(
        [...own].every((one) => wanted.has(one)),
        `${key}: ${[...own]} and not ${[...wanted]}`,
      );
      if (typeof message === 'string') continue;
      assert.ok(message.other, `${key} has no form other`);
      assert.ok(
        Object.keys(message).every((form) => known.includes(form)),
        `${key}: ${name} has ${known}`,
      );
    }
  });
}
