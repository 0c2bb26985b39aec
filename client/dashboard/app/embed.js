/**
 * In a frame of another web site the dashboard is at /embed/TOKEN/…: it proves with that token who it is, and sends no
 * cookie, so that no click there can do anything in the name of somebody who is logged in.
 */
import {decoded} from './decoded.js';

const found = /^\/embed\/([^/]+)/.exec(location.pathname);
const token = found ? decoded(found[1]) : '';

export const isEmbed = Boolean(found);

/** What the addresses of views begin with. */
export const ROOT = found ? ['embed', token] : ['dashboard'];

/** How requests prove who asks: `public` stands for no token, where a site is everybody's to read. */
export const PROOF = found
  ? {credentials: 'omit', headers: token === 'public' ? {} : {'X-Share-Token': token}}
  : {credentials: 'same-origin', headers: {}};
