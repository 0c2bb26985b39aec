/** Texts by name, in the language of whoever looks. Each language is one file of lang/. */
import {remember, remembered} from './kept.js';
import {createStore, useStore} from './store.js';
import english from '../lang/en.json';

/** Languages by code, each by its own name; all but English are loaded when they are chosen. */
export const LANGUAGES = {
  en: {name: 'English', load: async () => english},
  de: {name: 'Deutsch', load: async () => (await import('../lang/de.json')).default},
  es: {name: 'Español', load: async () => (await import('../lang/es.json')).default},
  fr: {name: 'Français', load: async () => (await import('../lang/fr.json')).default},
};

const KEY = 'vt.language';
const current = createStore({code: 'en', messages: english});

export const useLanguage = () => useStore(current);
export const language = () => current.get().code;

const plural = new Map();
const pluralOf = (code, count) => {
  if (!plural.has(code)) plural.set(code, new Intl.PluralRules(code));
  return plural.get(code).select(count);
};

const chosen = (message, values, code) => {
  if (typeof message === 'string') return message;
  return message[pluralOf(code, values.count ?? 0)] ?? message.other;
};

/**
 * Returns a text: t('overview.title'), t('filters.more', {count: 3}). {name} in it is replaced; a message with plural forms is
 * {"one": "…", "other": "…"}, and chosen by `count`. What a language lacks is shown in English, what English lacks by its name.
 */
export const t = (name, values = {}) => {
  const {code, messages} = current.get();
  const own = messages[name];
  const message = own ?? english[name];
  if (message === undefined) return name;
  return chosen(message, values, own ? code : 'en').replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
};

/** Returns whether there is a text of that name. */
export const hasText = (name) => Object.hasOwn(english, name);

/** Returns a text, or what else stands for it where there is none of that name. */
export const textOr = (name, other) => (hasText(name) ? t(name) : other);

const preferred = () => {
  const stored = remembered(KEY);
  return (
    [stored, ...navigator.languages]
      .map((code) => code?.split('-')[0])
      .find((code) => Object.hasOwn(LANGUAGES, code)) ?? 'en'
  );
};

/** Changes the language; without `code` to the one that was chosen before, or that the browser prefers. */
export const setLanguage = async (code) => {
  const next = code ?? preferred();
  if (code) remember(KEY, code);
  const messages = await LANGUAGES[next].load();
  document.documentElement.lang = next;
  current.set({code: next, messages});
};
