/** ReDoc over this server's own description. */

const nonce = document.querySelector('meta[name=style-nonce]').content;
const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

globalThis.Redoc.init(
  '/openapi.json',
  {
    nonce,
    hideDownloadButton: false,
    hideHostname: true,
    expandResponses: '200,201',
    requiredPropsFirst: true,
    theme: {
      colors: {primary: {main: '#0f766e'}},
      typography: {fontFamily: font, headings: {fontFamily: font}, code: {fontFamily: mono}},
    },
  },
  document.getElementById('api'),
);
