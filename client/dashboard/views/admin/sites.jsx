/** All sites that one may see, with today's visits and those of the last month. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toAdmin, toView} from '../../app/place.js';
import {may, useSession} from '../../app/session.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Title} from '../../ui/panel.jsx';
import {Empty, Skeleton} from '../../ui/states.jsx';
import {Mark} from './shared.jsx';
import {SiteForm} from './SiteForm.jsx';

const WIDTH = 120;
const HEIGHT = 28;

/** A line of numbers without axes; `label` says what it shows. */
const Sparkline = ({numbers, label}) => {
  const most = Math.max(1, ...numbers);
  const step = WIDTH / Math.max(1, numbers.length - 1);
  const points = numbers.map((number, place) => `${place * step},${HEIGHT - 2 - (number / most) * (HEIGHT - 4)}`);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <polyline points={points.join(' ')} />
    </svg>
  );
};

const Numbers = ({site}) => {
  const query = {site, metrics: 'visits', dimensions: 'time:day', date_range: '30d'};
  const {data, error} = useAnswer('/api/v1/stats/query', query);
  if (error) return <p class="soft">{t('sites.no_numbers')}</p>;
  if (!data) return <Skeleton rows={1} />;
  const numbers = data.rows.map(({metrics}) => metrics.visits ?? 0);
  const all = numbers.reduce((sum, number) => sum + number, 0);
  return (
    <div class="site-numbers">
      <dl>
        <div>
          <dt>{t('sites.today')}</dt>
          <dd>{whole(numbers.at(-1) ?? 0)}</dd>
        </div>
        <div>
          <dt>{t('sites.month')}</dt>
          <dd>{whole(all)}</dd>
        </div>
      </dl>
      <Sparkline numbers={numbers} label={t('sites.line', {count: all, number: whole(all)})} />
    </div>
  );
};

const SiteCard = ({site}) => {
  const {name, hostnames, public: isPublic, automatic} = site;
  return (
    <li class="panel site-card">
      <h2>
        <a href={toView('overview', {site: name})}>{name}</a>
      </h2>
      <p class="soft hosts">{hostnames.join(', ') || t('sites.any_host')}</p>
      <p class="state-marks">
        {isPublic && <Mark kind="warn">{t('sites.public')}</Mark>}
        {automatic && <Mark>{t('sites.automatic')}</Mark>}
      </p>
      <Numbers site={name} />
      <p class="actions start">
        {may('manage', name) && (
          <a class="button" href={toView('settings', {site: name})}>
            <Icon name="settings" size={16} /> {t('view.settings')}
          </a>
        )}
        {may('manage', name) && (
          <a class="button quiet" href={toAdmin('welcome', {site: name})}>
            {t('sites.install')}
          </a>
        )}
      </p>
    </li>
  );
};

const MANY = 8; // from so many on one looks for a site by its name

export const View = () => {
  const {sites} = useSession();
  const [isAdding, setAdding] = useState(false);
  const [wanted, setWanted] = useState('');
  const shown = sites.filter(({name, hostnames}) => [name, ...hostnames].some((text) => text.includes(wanted)));
  return (
    <>
      <Title
        extra={
          may('admin') && (
            <button type="button" class="button primary" onClick={() => setAdding(true)}>
              <Icon name="plus" size={16} /> {t('site.add')}
            </button>
          )
        }
      >
        {t('view.sites')}
      </Title>
      {sites.length >= MANY && (
        <input
          type="search"
          aria-label={t('sites.find')}
          placeholder={t('sites.find')}
          value={wanted}
          onInput={({target}) => setWanted(target.value.trim())}
        />
      )}
      {shown.length ? (
        <ul class="site-cards">
          {shown.map((site) => (
            <SiteCard key={site.name} site={site} />
          ))}
        </ul>
      ) : (
        <Empty title={t('sites.none')} hint={may('admin') ? t('sites.none_hint') : t('welcome.no_admin')} />
      )}
      {isAdding && (
        <Dialog title={t('site.add')} onClose={() => setAdding(false)}>
          <SiteForm onMade={({name}) => go(toAdmin('welcome', {site: name}))} />
        </Dialog>
      )}
    </>
  );
};
