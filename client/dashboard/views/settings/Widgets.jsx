/** Badges and the list of the most read pages, ready to be put into other pages. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {Copyable} from '../../ui/copy.jsx';
import {Check, Field} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';
import {Choice} from '../admin/shared.jsx';
import {absolute, frameOf, imageOf, markdownOf, queryOf} from './frames.js';

const BADGE = {label: 'visits', color: '2563eb'};
const LIST = {period: '7d', limit: 5, title: 'Most read', word: 'views', theme: 'auto', site: 'default'};
const ROW_PX = 36;

const guess = ({url, hostnames}) => {
  const host = hostnames.find((name) => !name.startsWith('*.'));
  return url || (host ? `https://${host}/` : '');
};

const isPage = (address) => /^https?:\/\/[^\s/]+/.test(address);

const Badge = ({site}) => {
  const [page, setPage] = useState(guess(site));
  const [label, setLabel] = useState(BADGE.label);
  const [color, setColor] = useState(`#${BADGE.color}`);
  const query = queryOf({url: page, label, color: color.slice(1)}, BADGE);
  const address = `/badge.svg${query}`;
  return (
    <Panel title={t('badge.title')}>
      <p class="soft">{t('badge.hint')}</p>
      <div class="field-columns">
        <Field label={t('badge.page')} type="url" value={page} onInput={({target}) => setPage(target.value.trim())} />
        <Field label={t('badge.label')} maxLength={32} value={label} onInput={({target}) => setLabel(target.value)} />
        <Field label={t('badge.color')} type="color" value={color} onInput={({target}) => setColor(target.value)} />
      </div>
      {isPage(page) ? (
        <>
          <p class="preview">
            <img src={address} alt={t('badge.preview', {label})} height="20" />
          </p>
          <h3>HTML</h3>
          <Copyable label="HTML" text={imageOf(address, label, page)} />
          <h3>Markdown</h3>
          <Copyable label="Markdown" text={markdownOf(address, label, page)} />
          <h3>JSON</h3>
          <Copyable label="JSON" text={absolute(`/badge.json${query}`)} />
        </>
      ) : (
        <Empty title={t('badge.no_page')} />
      )}
    </Panel>
  );
};

const ListFields = ({asked, change}) => {
  const text = (name) => ({value: asked[name], onInput: ({target}) => change({[name]: target.value})});
  return (
    <div class="field-columns">
      <Choice
        label={t('widget.period')}
        options={['today', '7d', '30d', '90d', '12mo', 'all'].map((period) => [period, t(`period.${period}`)])}
        chosen={asked.period}
        onChange={({target}) => change({period: target.value})}
      />
      <Field
        label={t('widget.limit')}
        type="number"
        min={1}
        max={20}
        value={asked.limit}
        onInput={({target}) => change({limit: Math.min(20, Math.max(1, Number(target.value) || 1))})}
      />
      <Field label={t('widget.heading')} maxLength={60} {...text('title')} />
      <Field label={t('widget.word')} help={t('widget.word_help')} maxLength={60} {...text('word')} />
      <Choice
        label={t('theme.title')}
        options={['auto', 'light', 'dark'].map((theme) => [theme, t(`widget.${theme}`)])}
        chosen={asked.theme}
        onChange={({target}) => change({theme: target.value})}
      />
    </div>
  );
};

const MostRead = ({site}) => {
  const [asked, setAsked] = useState({...LIST, site: site.name});
  const [share, setShare] = useState('');
  const [isOpen, setOpen] = useState(site.public);
  const change = (next) => setAsked((old) => ({...old, ...next}));
  const query = queryOf(site.public ? asked : {...asked, site: '', share}, {
    ...LIST,
    site: site.public ? LIST.site : '',
  });
  const isReady = site.public || /^[\w-]{43}$/.test(share);
  const address = `/widget/most-read${query}`;
  const height = asked.limit * ROW_PX + (asked.title ? ROW_PX : 0);
  return (
    <Panel title={t('widget.title')}>
      <p class="soft">{t('widget.hint')}</p>
      {!site.public && (
        <>
          <p class="warn-text">
            {t('widget.not_public')} <a href={toView('settings', {tab: 'sharing'})}>{t('share.make')}</a>
          </p>
          <Field
            label={t('share.token')}
            help={t('widget.token_help')}
            value={share}
            spellcheck={false}
            autocomplete="off"
            onInput={({target}) => setShare(target.value.trim())}
          />
        </>
      )}
      <ListFields asked={asked} change={change} />
      {isReady && (
        <>
          <Check label={t('widget.preview')} checked={isOpen} onChange={({target}) => setOpen(target.checked)} />
          {isOpen && <iframe class="preview" src={address} title={asked.title || t('widget.title')} height={height} />}
          <h3>HTML</h3>
          <Copyable label="HTML" text={frameOf(address, asked.title || t('widget.title'), height)} />
          <h3>JSON</h3>
          <Copyable label="JSON" text={absolute(`/widget/most-read.json${jsonQuery(site, asked, share)}`)} />
        </>
      )}
    </Panel>
  );
};

const jsonQuery = (site, {period, limit}, share) =>
  queryOf(site.public ? {site: site.name, period, limit} : {share, period, limit}, LIST);

export const Widgets = ({site}) => (
  <>
    <MostRead site={site} />
    <Badge site={site} />
  </>
);
