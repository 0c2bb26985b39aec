/** Fails when the client has become larger than promised. */
import {readFileSync} from 'node:fs';

const BUDGETS = {'visitor-tracker.js': 1250, 'visitor-tracker.iife.js': 1500}; // bytes, gzipped

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
