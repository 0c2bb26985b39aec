/** The page to log in on. */
import {Refusal, ask, destination, find, offerToShow, onSend, showTrouble, words} from './form.js';

const onward = destination(location.search);
const username = find('username');
const password = find('password');
const code = find('code');

const show = (...ids) => {
  for (const id of ['who', 'second', 'inside']) find(id).hidden = !ids.includes(id);
};

const logIn = async (body) => {
  await ask('/api/v1/login', body);
  location.assign(onward);
};

const askForCode = () => {
  show('second');
  find('title').textContent = 'Second step';
  code.value = '';
  code.focus();
};

const back = () => {
  show('who');
  find('title').textContent = 'Log in';
  password.value = '';
  showTrouble('');
  password.focus();
};

onSend(
  find('who'),
  async () => {
    try {
      await logIn({username: username.value.trim(), password: password.value});
    } catch (error) {
      if (error.code !== 'second_factor_needed') throw error;
      askForCode();
    }
  },
  (cause) => (cause === 'login_failed' ? [password] : []),
);

onSend(
  find('second'),
  () => logIn({username: username.value.trim(), password: password.value, code: code.value.trim()}),
  (cause) => (cause === 'wrong_code' ? [code] : []),
);

find('back').addEventListener('click', back);

find('recovery').addEventListener('click', () => {
  code.inputMode = 'text';
  code.autocomplete = 'off';
  find('code-help').textContent = 'One of the codes that you kept when you turned the second factor on, abcd-efgh-…';
  code.focus();
});

find('out').addEventListener('click', async () => {
  try {
    const {csrf} = await ask('/api/v1/me');
    await ask('/api/v1/logout', {}, {'X-CSRF-Token': csrf});
    show('who');
    find('lost').hidden = false;
    username.focus();
  } catch (error) {
    showTrouble(words(error));
  }
});

const open = async () => {
  const offer = await ask('/api/v1/login');
  find('new').hidden = offer.set_up;
  find('lost').hidden = !offer.set_up || Boolean(offer.username);
  find('single').hidden = !offer.single_sign_on || Boolean(offer.username);
  find('single-link').textContent = offer.single_sign_on;
  find('single-link').href = `/login/oidc?${new URLSearchParams({next: onward})}`;
  if (!offer.username) return;
  find('name').textContent = offer.username;
  find('onward').href = onward;
  show('inside');
};

/** Says why somebody was sent back here from elsewhere; the address has a code only, so that it cannot say anything. */
const sayWhy = () => {
  const code = new URLSearchParams(location.search).get('error');
  if (code) showTrouble(words(new Refusal(401, {code, message: 'the log-in did not work', hint: 'try again'})));
};

offerToShow();
sayWhy();
open().catch((error) => showTrouble(words(error)));
