/** The page on which the first account is made, or a password is chosen with a link. */
import {Refusal, ask, find, offerToShow, onSend, showTrouble, words} from './form.js';

const token = location.hash.slice(1);
const username = find('username');
const password = find('password');

const FIELDS = {
  invalid_username: [username],
  name_taken: [username],
  invalid_email: [find('email')],
};

const head = (title, lead = '') => {
  document.title = `${title} · Visitor Tracker`;
  find('title').textContent = title;
  find('lead').textContent = lead;
  find('lead').hidden = !lead;
};

const offer = (path, label) => {
  find('onward').hidden = false;
  find('onward-link').href = path;
  find('onward-link').textContent = label;
};

const finish = (title, lead) => {
  history.replaceState(null, '', location.pathname); // the link is used up
  find('choose').hidden = true;
  head(title, lead);
  find('title').focus();
};

const showNext = () => {
  finish('Your account is made', 'You are logged in. What to do now:');
  find('snippet').textContent = `<script defer src="${location.origin}/script.js"></script>`;
  find('next').hidden = false;
  offer('/admin/welcome', 'Set up the first site');
};

const makeFirst = async () => {
  const asked = {username: username.value.trim(), email: find('email').value.trim(), password: password.value};
  await ask('/api/v1/setup', {...asked, token});
  showNext();
};

const accept = async () => {
  const {second_factor: needsCode} = await ask('/api/v1/invitation', {token, password: password.value});
  finish('Your password is set', needsCode ? 'Now log in with it, and with a code of your app.' : 'You are logged in.');
  offer(needsCode ? '/login' : '/', needsCode ? 'Log in' : 'Open the overview');
};

const showForm = (least, send) => {
  find('password-help').textContent = `At least ${least} characters. A few words in a row are easy to keep in mind.`;
  find('choose').hidden = false;
  onSend(find('choose'), send, (cause = '') => FIELDS[cause] ?? (cause.startsWith('password_') ? [password] : []));
  (username.readOnly ? password : username).focus();
};

const showInvited = ({username: name}, least) => {
  head('Choose your password', 'With it you log in to this server.');
  username.value = name;
  username.readOnly = true;
  find('email-field').hidden = true;
  find('submit').textContent = 'Set the password';
  showForm(least, accept);
};

const showClosed = () => {
  head('This server is set up', 'Log in, or ask an admin for an invitation.');
  offer('/login', 'Log in');
};

const open = async () => {
  const state = await ask('/api/v1/setup');
  if (!state.open) {
    if (token) showInvited(await ask('/api/v1/invitation', {token}), state.password_least);
    else showClosed();
  } else if (!token) {
    head('This server has no account yet');
    find('example').textContent = `${location.origin}/setup#…`;
    find('no-link').hidden = false;
  } else {
    head('Welcome', 'Make the first account. It is an admin’s: it sees everything, and lets others in.');
    showForm(state.password_least, makeFirst);
  }
};

find('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(find('snippet').textContent);
    find('copied').textContent = 'Copied.';
  } catch {
    getSelection().selectAllChildren(find('snippet'));
    find('copied').textContent = 'Marked: copy it with Ctrl+C.';
  }
});

offerToShow();
open().catch((error) => {
  const isLink = error instanceof Refusal && error.status === 404;
  head(isLink ? 'This link does not work' : 'That did not work');
  showTrouble(words(error));
  if (isLink) offer('/login', 'Log in');
});
