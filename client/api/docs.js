/** Swagger UI over this server's own description; a browser that is logged in sends its session's token with changes. */

const SAFE = ['GET', 'HEAD', 'OPTIONS'];
const dark = matchMedia('(prefers-color-scheme: dark)');

const dress = () => document.documentElement.classList.toggle('dark-mode', dark.matches);

/** Returns the token that changes need beside a session's cookie; "" where nobody is logged in. */
const csrf = async () => {
  try {
    const answer = await fetch('/api/v1/me', {headers: {Accept: 'application/json'}});
    return answer.ok ? ((await answer.json()).csrf ?? '') : '';
  } catch {
    return '';
  }
};

/** Adds the session's token to a change that brings no proof of its own. */
const withToken = async (request) => {
  const {method = 'GET', headers = {}} = request;
  const own = Object.keys(headers).some((name) => /^(authorization|x-api-key|x-signature|x-csrf-token)$/i.test(name));
  if (!own && !SAFE.includes(method.toUpperCase())) {
    const token = await csrf();
    if (token) request.headers = {...headers, 'X-CSRF-Token': token};
  }
  return request;
};

dress();
dark.addEventListener('change', dress);
globalThis.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null, // it would send the description to a server of others
  queryConfigEnabled: false,
  requestInterceptor: withToken,
});
