/** Takes numbers along: as a table for other programs, or as a picture. */
import {request} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Menu, MenuItem} from '../../ui/menu.jsx';
import {sayTrouble} from '../../ui/toast.jsx';

const MOST_ROWS = 10_000;

const keepFile = (blob, name) => {
  const address = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement('a'), {href: address, download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};

const fileName = ({site, date_range: range}, name, kind) =>
  `${site}-${name}-${range}.${kind}`.replace(/[^\w.-]+/g, '_');

const keepTable = async (asked, name) => {
  try {
    const query = {...asked, limit: MOST_ROWS};
    const answer = await request('GET', '/api/v1/stats/query', {query, accept: 'text/csv'});
    keepFile(await answer.blob(), fileName(asked, name, 'csv'));
  } catch (error) {
    sayTrouble(error);
  }
};

const keepPicture = async (asked, name, picture) => {
  const canvas = await picture();
  canvas.toBlob((blob) => keepFile(blob, fileName(asked, name, 'png')), 'image/png');
};

/** `asked` is the query of the table, null for none; `picture` makes a canvas, `name` is part of the files' names. */
export const Exports = ({asked, name, picture}) => (
  <Menu title={t('export.title')} icon="download" isQuiet class="exports unprinted">
    {asked && <MenuItem onPick={() => keepTable(asked, name)}>{t('export.csv')}</MenuItem>}
    {picture && <MenuItem onPick={() => keepPicture(asked ?? {site: name}, name, picture)}>{t('export.png')}</MenuItem>}
  </Menu>
);
