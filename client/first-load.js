/** What the dashboard's first page needs: known from the built files, so that browsers ask for all of it at once. */
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

/** Adds a built file and all that it imports at once; what it imports when it is wanted is not in it. */
const withImports = (dist, name, found) => {
  if (found.has(name)) return;
  found.add(name);
  const text = readFileSync(join(dist, name), 'utf8');
  for (const [, next] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) withImports(dist, next, found);
};

/** Returns the names of the scripts that the overview consists of, without dashboard.js itself. */
export const firstScripts = (dist) => {
  const found = new Set();
  withImports(dist, 'dashboard.js', found);
  const overview = readdirSync(dist).filter((name) => /^dashboard-overview-\w+\.js$/.test(name));
  if (overview.length !== 1) throw new Error(`there should be one script of the overview, not ${overview.length}`);
  withImports(dist, overview[0], found);
  found.delete('dashboard.js');
  return [...found];
};
