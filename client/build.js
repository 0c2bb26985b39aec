/** Builds dist/: the two forms of the client, its declarations, the demo, and a manifest of what is there. */
import {createHash} from 'node:crypto';
import {copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {build, transform} from 'esbuild';
import {firstScripts} from './first-load.js';
import {copyVendored, vendoredNotices} from './vendor.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const MADE = join(HERE, `dist.${process.pid}`); // becomes dist when all of it is there, so that nobody sees a half
const MODULES = join(HERE, 'node_modules');
const HASH_DIGITS = 12;
const SETTINGS_NAME = 'SETTINGS_OF_THE_SITE';
const SETTINGS = '{files:{more:"more.js"}}/*settings*/'; // the server writes a site's here; any other serves these

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

/** The recorder: in rrweb's events there are attributes whose names begin with _. */
const RECORDER = {
  mangleProps: undefined,
  banner: {
    js: '/*! visitor-tracker, Apache-2.0; contains rrweb, MIT, (c) contributors of github.com/rrweb-io/rrweb */',
  },
};

/** Parts of the tracker script that pages load when they are idle; each is a file, and may have a folder beside it. */
const modules = readdirSync(join(HERE, 'src/modules'))
  .filter((name) => name.endsWith('.js'))
  .map((name) => ({
    ...script,
    ...(name === 'replay.js' && RECORDER),
    entryPoints: [`src/modules/${name}`],
    format: 'esm',
    outfile: `dist/${basename(name)}`,
  }));

const bundles = [
  {
    ...script,
    entryPoints: ['src/tracker/index.js'],
    format: 'iife',
    target: 'es2021',
    outfile: 'dist/script.js',
    define: {SETTINGS: SETTINGS_NAME},
    banner: {}, // every byte of this file counts
  },
  ...modules,
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
    banner: {js: '/*! visitor-tracker, Apache-2.0 */'},
    target: 'es2022',
    entryPoints: ['src/reader.js'],
    format: 'esm',
    outfile: 'dist/reader.js',
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
  {
    ...common,
    banner: RECORDER.banner,
    target: 'es2022',
    entryPoints: ['replay/player.js'],
    format: 'esm',
    outfile: 'dist/replay-player.js',
  },
  {
    ...common,
    banner: RECORDER.banner,
    target: 'es2022',
    entryPoints: ['replay/snapshot.js'],
    format: 'esm',
    outfile: 'dist/replay-snapshot.js',
  },
  {...common, target: 'es2022', entryPoints: ['replay/list.js'], format: 'esm', outfile: 'dist/replay-list.js'},
  {...common, entryPoints: ['replay/replay.css'], outfile: 'dist/replay-player.css'},
  ...['login', 'setup'].map((name) => ({
    ...common,
    target: 'es2022',
    entryPoints: [`account/${name}.js`],
    format: 'esm',
    outfile: `dist/account-${name}.js`,
  })),
  {...common, entryPoints: ['account/account.css'], outfile: 'dist/account.css'},
  ...['docs', 'redoc'].map((name) => ({
    ...common,
    target: 'es2022',
    entryPoints: [`api/${name}.js`],
    format: 'esm',
    outfile: `dist/api-${name}.js`,
  })),
  {...common, entryPoints: ['api/api.css'], outfile: 'dist/api.css'},
  {
    ...common,
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryPoints: {dashboard: 'dashboard/main.jsx'},
    format: 'esm',
    splitting: true, // views are loaded when they are opened
    chunkNames: 'dashboard-[name]-[hash]',
    outdir: 'dist',
  },
  {...common, entryPoints: ['dashboard/dashboard.css'], outfile: 'dist/dashboard.css'},
];

const copies = {
  'src/visitor-tracker.d.ts': 'visitor-tracker.d.ts',
  'src/reader.d.ts': 'reader.d.ts',
  'demo/demo.html': 'demo.html',
  'demo/icon.svg': 'icon.svg',
  'account/login.html': 'account-login.html',
  'account/setup.html': 'account-setup.html',
  'api/docs.html': 'api-docs.html',
  'api/redoc.html': 'api-redoc.html',
  'dashboard/dashboard.html': 'dashboard.html',
  'replay/list.html': 'replay-list.html',
  'replay/player.html': 'replay-player.html',
  'replay/snapshot.html': 'replay-snapshot.html',
};

const describe = (name) => {
  const content = readFileSync(join(MADE, name));
  return {
    hash: createHash('sha256').update(content).digest('hex').slice(0, HASH_DIGITS),
    size: content.length,
    gzip: gzipSync(content, {level: 9}).length,
  };
};

/** Returns whose work the bundles hold besides our own, and under which licence. */
const notices = (inputs) => {
  const folders = inputs.map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const {
      name,
      version,
      license,
      homepage = '',
    } = JSON.parse(readFileSync(join(HERE, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(HERE, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? `\n${readFileSync(join(HERE, folder, file), 'utf8').trim()}\n` : '';
    return `${name} ${version}, ${license} ${homepage}\n${text}`;
  });
  const own = `Parts of the dashboard, replay.js, replay-player.js and vitals.js are the work of others:\n\n${texts.join('\n')}`;
  return `${own}\n${vendoredNotices(MODULES)}`;
};

/** Returns a bundle that is written to where files are made. */
const inMaking = ({outfile, outdir, ...bundle}) => ({
  ...bundle,
  metafile: true,
  ...(outfile ? {outfile: join(MADE, basename(outfile))} : {outdir: outdir && MADE}),
});

process.on('exit', () => rmSync(MADE, {recursive: true, force: true})); // where it failed
mkdirSync(MADE);
const built = await Promise.all(bundles.map((bundle) => build(inMaking(bundle))));
writeFileSync(join(MADE, 'third-party.txt'), notices(built.flatMap(({metafile}) => Object.keys(metafile.inputs))));
copyVendored(MODULES, MADE);
const core = join(MADE, 'script.js');
// Whatever an old or strange browser has not, must not be an error of the page.
const guarded = `try{${readFileSync(core, 'utf8')}}catch{}`;
// Once more, because it shortens what the first time has put into one scope.
const {code} = await transform(guarded, {minify: true, charset: 'utf8', target: 'es2021'});
writeFileSync(core, code.replace(SETTINGS_NAME, SETTINGS));
for (const [source, name] of Object.entries(copies)) copyFileSync(join(HERE, source), join(MADE, name));
const page = join(MADE, 'dashboard.html');
// Without quotes: the server gives names in quotes a version, and scripts import each other by these names.
const preloads = firstScripts(MADE).map((name) => `    <link rel="modulepreload" href=/client/${name} />\n`);
writeFileSync(page, readFileSync(page, 'utf8').replace('  </head>', `${preloads.join('')}  </head>`));
const manifest = Object.fromEntries(
  readdirSync(MADE)
    .sort()
    .map((name) => [name, describe(name)]),
);
writeFileSync(join(MADE, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
rmSync(DIST, {recursive: true, force: true});
renameSync(MADE, DIST);
