/**
 * Walks through the events of a recording and makes anew what they may hold. The recorder runs it with rules that hide
 * what is private; the player with rules that hide nothing, so that a recording that never saw the recorder is harmless too.
 */
import {allowedAttribute, allowedTag, attributesOf} from './allow.js';
import {cleanCss} from './css.js';

const FULL_SNAPSHOT = 2;
const INCREMENT = 3;
const META = 4;
const ELEMENT = 2;
const DOCTYPE = 1;
const TEXT = 3;

/** Returns rules that hide nothing, for one recording: they remember what its nodes are, as a page would know. */
export const plainRules = () => {
  const tags = new Map();
  const drawings = new Set();
  return {
    text: (value) => value,
    attribute: (id, name, value) => value,
    picture: () => undefined,
    input: (data) => data,
    isMasked: () => false,
    isMaskedBelow: () => false,
    tagOf: (id) => tags.get(id) ?? '',
    isDrawing: (id) => drawings.has(id),
    note(node, tag) {
      tags.set(node.id, tag);
      if (node.isSVG) drawings.add(node.id);
      else drawings.delete(node.id);
    },
  };
};

/** Returns what is kept of a node's attributes; `changes`: they are some of them, new ones. */
const attributes = (found, {id, isDrawing, isMasked, changes}, rules) => {
  const kept = {};
  for (const [name, value] of Object.entries(found)) {
    const allowed = allowedAttribute(name, value, isDrawing);
    let told;
    if (allowed !== undefined) told = rules.attribute(id, name, allowed, isMasked, changes);
    else if (name === 'src' && !changes) told = rules.picture(id);
    if (told !== undefined) kept[name] = told;
  }
  return kept;
};

const text = (value, tag, masked, rules) => {
  if (tag === 'style') return cleanCss(value);
  return tag === 'template' ? '' : rules.text(String(value), masked);
};

const element = (node, masked, rules) => {
  const tag = allowedTag(node.tagName);
  node.tagName = tag;
  if (tag === 'template') delete node.isSVG;
  const {id, isSVG: isDrawing} = node;
  const shown = attributesOf(tag, node.attributes);
  // What a <meta> may say is a closed list; elsewhere its attributes' names mean other things.
  node.attributes = tag === 'meta' ? shown : attributes(shown, {id, isDrawing, isMasked: masked}, rules);
  return tag.toLowerCase();
};

/** Rewrites a node and what is below it, in place: a page may have tens of thousands. */
const rewriteNode = (node, parentTag, maskedAbove, rules) => {
  const masked = maskedAbove || rules.isMasked(node.id);
  let tag = parentTag;
  if (node.type === ELEMENT) tag = element(node, masked, rules);
  else if (node.type === DOCTYPE) node.publicId = node.systemId = '';
  else if (node.type >= TEXT) node.textContent = node.type === TEXT ? text(node.textContent, tag, masked, rules) : '';
  rules.note(node, tag);
  for (const child of node.childNodes ?? []) rewriteNode(child, tag, masked, rules);
};

const mutation = (data, rules) => {
  for (const {parentId, node} of data.adds) {
    rewriteNode(node, rules.tagOf(parentId), rules.isMaskedBelow(parentId), rules);
  }
  for (const one of data.texts) {
    if (one.value !== null) one.value = text(one.value, rules.tagOf(one.id), rules.isMaskedBelow(one.id), rules);
  }
  for (const one of data.attributes) {
    const {id} = one;
    const about = {id, isDrawing: rules.isDrawing(id), isMasked: rules.isMaskedBelow(id), changes: true};
    one.attributes = attributes(attributesOf(rules.tagOf(id), one.attributes), about, rules);
  }
  data.attributes = data.attributes.filter((one) => Object.keys(one.attributes).length);
  const changes = [data.adds, data.removes, data.texts, data.attributes];
  return changes.some(({length}) => length) ? data : null;
};

const rule = (one) => ({...one, rule: cleanCss(one.rule)});
const ruled = (data) => {
  if (data.adds) data.adds = data.adds.map(rule);
  for (const name of ['replace', 'replaceSync']) if (data[name]) data[name] = cleanCss(data[name]);
  return data;
};
const declared = (data) => {
  if (data.set?.value) data.set.value = cleanCss(data.set.value);
  return data;
};
const adopted = (data) => {
  for (const sheet of data.styles ?? []) sheet.rules = sheet.rules.map(rule);
  return data;
};
const asItIs = (data) => data;

/** What is kept of increments, by their source; canvas, media, fonts, logs and whatever comes later are not. */
const SOURCES = {
  __proto__: null,
  0: mutation,
  1: asItIs, // mouse moved
  2: asItIs, // clicks and touches
  3: asItIs, // scrolled
  4: asItIs, // window resized
  5: (data, rules) => rules.input(data),
  6: asItIs, // touch moved
  8: ruled,
  12: asItIs, // dragged
  13: declared,
  14: asItIs, // selected
  15: adopted,
};

const EVENTS = {
  __proto__: null,
  [FULL_SNAPSHOT]: (data, rules) => {
    rewriteNode(data.node, '', false, rules);
    return data;
  },
  [INCREMENT]: (data, rules) => (SOURCES[data.source] ?? (() => null))(data, rules),
  [META]: ({href, width, height}) => ({href: String(href).split(/[?#]/)[0], width, height}),
};

/** Returns the event as it may be kept or shown, null when nothing is left of it. Changes the event it is given. */
export const rewrite = (event, rules) => {
  const data = (EVENTS[event.type] ?? (() => null))(event.data, rules);
  return data && {type: event.type, data, timestamp: event.timestamp};
};
