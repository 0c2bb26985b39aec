/** Takes the libraries that show the API as their makers built them, and says whose work is in them. */
import {existsSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const SOURCE_MAP = /\n?\/[/*]# sourceMappingURL=.*\s*$/;

/** What is changed of ReDoc: no other server is asked for its logo, its styles have the page's nonce, see api/later.js. */
const OF_REDOC = {
  'https://cdn.redoc.ly/redoc/logo-mini.svg': 'data:,',
  'r.nc=void 0': 'r.nc=document.querySelector("meta[name=style-nonce]").content',
  'case"operation":t=n.createElement(ew,{item:e})': 'case"operation":t=showOperation(n,ew,{item:e})',
};

/** What dist/ has of others, and where it comes from. */
const FILES = {
  'swagger-ui.js': {folder: 'swagger-ui-dist', file: 'swagger-ui-bundle.js'},
  'swagger-ui.css': {folder: 'swagger-ui-dist', file: 'swagger-ui.css'},
  'redoc.js': {folder: 'redoc', file: 'bundles/redoc.standalone.js', changes: OF_REDOC},
};

/** Writes the files; fails where one is no longer what this was made for. */
export const copyVendored = (modules, dist) => {
  for (const [name, {folder, file, changes = {}}] of Object.entries(FILES)) {
    let text = readFileSync(join(modules, folder, file), 'utf8').replace(SOURCE_MAP, '\n');
    for (const [old, own] of Object.entries(changes)) {
      if (!text.includes(old)) throw new Error(`${folder}: ${old} is gone, look at ${file} again`);
      text = text.replaceAll(old, own);
    }
    writeFileSync(join(dist, name), text);
  }
};

const licenceOf = (folder) => {
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return file ? `\n${readFileSync(join(folder, file), 'utf8').trim()}\n` : '';
};

/** Returns the names of the packages in a bundle, by its source map. */
const inside = (path) => {
  const {sources} = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
  const names = sources.map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1]);
  return [...new Set(names.filter(Boolean))].sort();
};

const told = (modules, name) => {
  const folder = join(modules, name);
  if (!existsSync(join(folder, 'package.json'))) return `${name}, https://www.npmjs.com/package/${name}\n`;
  const {license, homepage = ''} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `${name}, ${license} ${homepage}\n${licenceOf(folder)}`;
};

/** Returns whose work these files are, and under which licences. */
export const vendoredNotices = (modules) =>
  Object.entries(FILES)
    .filter(([name]) => name.endsWith('.js'))
    .map(([name, {folder, file}]) => {
      const {version, license, homepage = ''} = JSON.parse(readFileSync(join(modules, folder, 'package.json'), 'utf8'));
      const notice = join(modules, folder, 'NOTICE');
      return [
        `${name} is ${folder} ${version}, ${license} ${homepage}`,
        existsSync(notice) ? readFileSync(notice, 'utf8') : '',
        licenceOf(join(modules, folder)),
        readFileSync(join(modules, folder, `${file}.LICENSE.txt`), 'utf8'),
        `In ${name} there are:\n`,
        ...inside(join(modules, folder, file)).map((each) => told(modules, each)),
      ].join('\n');
    })
    .join('\n');
