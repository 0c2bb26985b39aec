/** What the pages about accounts share: asking the server, saying what went wrong, and where to go afterwards. */

export const find = (id) => document.getElementById(id);

/** A request that was refused; `status` 0: no answer. */
export class Refusal extends Error {
  constructor(status, {code = '', message = '', hint = ''} = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** Resolves to the JSON at a path of this server, null for none; with a body it is sent there. Rejects with a Refusal. */
export const ask = async (path, body, headers = {}) => {
  let answer;
  try {
    answer = await fetch(path, {
      method: body ? 'POST' : 'GET',
      headers: {Accept: 'application/json', 'Content-Type': 'application/json', ...headers},
      body: body && JSON.stringify(body),
      cache: 'no-store',
    });
  } catch {
    throw new Refusal(0);
  }
  const found = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(answer.status, found?.error);
  return found;
};

const WORDS = {
  login_failed: 'The username or the password is wrong.',
  wrong_code: 'The code is wrong, or was used before. Wait for the next one.',
  invalid_username: 'A username has letters, digits and _ . @ + - and begins with a letter or digit.',
  invalid_email: 'That is no e-mail address. Leave it empty if you have none.',
  password_is_name: 'The password must not be the username.',
  store_unavailable: 'The database is away. Try again when it is back.',
  busy: 'Many people log in just now. Try again in a moment.',
  unknown_link: 'This link does not work, or not any more: it is good once, and for a week.',
  sign_on_unknown: 'You have no account here. Ask an admin for one.',
  sign_on_disabled: 'Your account is disabled. Ask an admin.',
  sign_on_denied: 'The log-in was cancelled at the provider.',
  sign_on_expired: 'The log-in took too long, or was begun in another tab. Try again.',
  sign_on_refused:
    'The provider does not vouch for you as it should. An admin finds the reason in the log of the server.',
  sign_on_unreachable: 'The provider does not answer as it should. Try again, or log in with a password.',
  sign_on_busy: 'Many people log in just now. Try again in a moment.',
  sign_on_first: 'This server has no admin yet. Set it up first.',
  no_public_url: 'The server does not know its own address: an admin must set server.public_url.',
};

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}.` : '');

/** Returns what a person should read; whatever is no Refusal is a mistake of this page. */
export const words = (error) => {
  if (!(error instanceof Refusal)) return 'Something went wrong in this page. Load it again.';
  if (error.status === 0) return 'The server does not answer. Is it running?';
  if (error.status === 429) return `Too many attempts: ${error.hint}, then try again.`;
  if (Object.hasOwn(WORDS, error.code)) return WORDS[error.code];
  return [error.message, error.hint].map(sentence).join(' ').trim() || `Error ${error.status}.`;
};

/** Shows what went wrong, and marks the fields to look at; the first of them gets the focus. */
export const showTrouble = (text, ...fields) => {
  const trouble = find('trouble');
  trouble.hidden = !text;
  trouble.textContent = text;
  for (const field of document.querySelectorAll('input')) {
    field.removeAttribute('aria-invalid');
    if (fields.includes(field)) field.setAttribute('aria-invalid', 'true');
  }
  if (text) (fields[0] ?? trouble).focus();
};

/** Runs `send` when the form is sent, one at a time, and shows what goes wrong; `blame` names fields by error code. */
export const onSend = (form, send, blame = () => []) => {
  let isBusy = false;
  const button = form.querySelector('[type=submit]');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isBusy) return;
    const empty = [...form.elements].find((field) => field.required && !field.value);
    if (empty) {
      showTrouble(`${form.querySelector(`label[for=${empty.id}]`).textContent} is missing.`, empty);
      return;
    }
    showTrouble('');
    isBusy = true;
    button.setAttribute('aria-disabled', 'true');
    try {
      await send();
    } catch (error) {
      showTrouble(words(error), ...blame(error.code));
    } finally {
      isBusy = false;
      button.removeAttribute('aria-disabled');
    }
  });
};

/** Lets people see what they type as a password. */
export const offerToShow = () => {
  for (const button of document.querySelectorAll('.show')) {
    const field = find(button.getAttribute('aria-controls'));
    button.addEventListener('click', () => {
      const isShown = field.type === 'text';
      field.type = isShown ? 'password' : 'text';
      button.setAttribute('aria-pressed', String(!isShown));
    });
  }
};

/** Returns where to go: the own path that `next` names, else the front page. */
export const destination = (search) => {
  const wanted = new URLSearchParams(search).get('next') ?? '';
  if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(wanted)) return '/';
  const {origin, pathname, search: query, hash} = new URL(wanted, location.origin);
  const isOwn = origin === location.origin && !/^\/{2}/.test(pathname) && !/^\/(login|setup)$/.test(pathname);
  return isOwn ? `${pathname}${query}${hash}` : '/';
};
