/** Builds dist/: the two forms of the client, its declarations, the demo, and a manifest of what is there. */
import {createHash} from 'node:crypto';
import {copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const HASH_DIGITS = 12;

const common = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
};
const script = {
  ...common,
  target: 'es2020',
  mangleProps: /^_/,
  banner: {js: '/*! visitor-tracker, Apache-2.0 */'},
};

const bundles = [
  {...script, entryPoints: ['src/index.js'], format: 'esm', outfile: 'dist/visitor-tracker.js'},
  {
    ...script,
    entryPoints: ['src/auto.js'],
    format: 'iife',
    outfile: 'dist/visitor-tracker.iife.js',
    define: {'import.meta.url': 'document.currentScript.src'},
  },
  {
    ...common,
    target: 'es2022',
    entryPoints: ['demo/demo.js'],
    format: 'esm',
    external: ['./visitor-tracker.js'],
    outfile: 'dist/demo.js',
  },
  {...common, entryPoints: ['demo/demo.css'], outfile: 'dist/demo.css'},
];

const copies = {
  'src/visitor-tracker.d.ts': 'visitor-tracker.d.ts',
  'demo/demo.html': 'demo.html',
  'demo/icon.svg': 'icon.svg',
};

const describe = (name) => {
  const content = readFileSync(join(DIST, name));
  return {
    hash: createHash('sha256').update(content).digest('hex').slice(0, HASH_DIGITS),
    size: content.length,
    gzip: gzipSync(content, {level: 9}).length,
  };
};

rmSync(DIST, {recursive: true, force: true});
mkdirSync(DIST);
await Promise.all(bundles.map(build));
for (const [source, name] of Object.entries(copies)) copyFileSync(join(HERE, source), join(DIST, name));
const manifest = Object.fromEntries(
  readdirSync(DIST)
    .sort()
    .map((name) => [name, describe(name)]),
);
writeFileSync(join(DIST, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
