/** Fails when the client has become larger than promised. */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {firstScripts} from './first-load.js';

// bytes, gzipped
const BUDGETS = {
  'script.js': 2048,
  'more.js': 2048,
  'clicks.js': 2048,
  'errors.js': 1280,
  'vitals.js': 4096,
  'explain.js': 512,
  'routes.js': 512,
  'heatmap.js': 2048,
  'overflow.js': 1024,
  'replay.js': 30_000,
  'visitor-tracker.js': 1250,
  'visitor-tracker.iife.js': 1500,
  'reader.js': 1536,
  'replay-player.js': 80_000,
  'replay-list.js': 2048,
  // Only /docs and /redoc load these: what others built, so that a new version cannot double them unseen.
  'swagger-ui.js': 500_000,
  'redoc.js': 340_000,
  'api-docs.js': 1024,
  'api-redoc.js': 768,
  'account-login.js': 2560,
  'account-setup.js': 2560,
};

/** What must be there before the overview shows itself; maps, players and other views come when they are wanted. */
const FIRST_LOAD = 120_000;
const DIST = fileURLToPath(new URL('dist/', import.meta.url));

const manifest = JSON.parse(readFileSync(new URL('dist/manifest.json', import.meta.url), 'utf8'));
for (const [name, budget] of Object.entries(BUDGETS)) {
  const {size, gzip} = manifest[name];
  console.log(`${name}: ${gzip} bytes gzipped of ${budget} (${size} bytes)`);
  if (gzip > budget) {
    console.error(
      `${name} is ${gzip - budget} bytes too large: shorten it, or raise its budget in size.js with a reason`,
    );
    process.exitCode = 1;
  }
}

const first = ['dashboard.html', 'dashboard.css', 'dashboard.js', ...firstScripts(DIST)];
const load = first.reduce((sum, name) => sum + manifest[name].gzip, 0);
console.log(`dashboard, first load: ${load} bytes gzipped of ${FIRST_LOAD} (${first.length} files)`);
if (load > FIRST_LOAD) {
  console.error(`the dashboard's first load is ${load - FIRST_LOAD} bytes too large: load something when it is wanted`);
  process.exitCode = 1;
}
