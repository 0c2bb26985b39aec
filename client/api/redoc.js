/** ReDoc over this server's own description. */
import {later} from './later.js';

const nonce = document.querySelector('meta[name=style-nonce]').content;
const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

globalThis.showOperation = later; // see OF_REDOC in vendor.js
globalThis.Redoc.init(
  '/openapi.json',
  {
    nonce,
    hideDownloadButton: false,
    hideHostname: true,
    nativeScrollbars: true, // its own ones measure the whole page first
    expandResponses: '200,201',
    requiredPropsFirst: true,
    theme: {
      colors: {primary: {main: '#0f766e'}},
      typography: {fontFamily: font, headings: {fontFamily: font}, code: {fontFamily: mono}},
    },
  },
  document.getElementById('api'),
);
