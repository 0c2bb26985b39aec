/** Links that show a site's numbers to people without an account, also in a frame of another web site. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Copyable} from '../../ui/copy.jsx';
import {Confirm, Dialog} from '../../ui/dialog.jsx';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Choice, Mark, Once, attempt, terms, words} from '../admin/shared.jsx';
import {absolute, frameOf} from './frames.js';

const originOf = (text) => (text === '*' ? text : text.replace(/^(https?:\/\/[^/]+).*$/i, '$1'));

const isOver = ({expires_at: ends}) => Boolean(ends) && new Date(ends) < Date.now();

const Frames = ({embed_in: origins}) => {
  if (!origins.length) return t('share.no_frames');
  return origins.includes('*') ? t('share.any_page') : origins.join(', ');
};

const columns = (onRevoke) => [
  {
    name: 'name',
    title: t('share.name'),
    show: (link) => (
      <>
        {link.name || link.id} {link.has_password && <Mark>{t('share.password')}</Mark>}{' '}
        {isOver(link) && <Mark kind="bad">{t('keys.over')}</Mark>}
      </>
    ),
  },
  {name: 'frames', title: t('share.frames'), show: (link) => <Frames {...link} />},
  {name: 'made', title: t('share.made_at'), show: ({created_at: made}) => moment(made)},
  {name: 'ends', title: t('keys.ends'), show: ({expires_at: ends}) => (ends ? moment(ends) : t('admin.term.ever'))},
  {name: 'used', title: t('keys.used'), show: ({last_used_at: used}) => (used ? moment(used) : t('keys.never'))},
  {
    name: 'revoke',
    title: '',
    show: (link) => (
      <button
        type="button"
        class="button"
        aria-label={t('share.revoke_one', {name: link.name || link.id})}
        onClick={() => onRevoke(link)}
      >
        {t('keys.revoke')}
      </button>
    ),
  },
];

const MakeLink = ({path, onMade, onClose}) => {
  const [isFramed, setFramed] = useState(false);
  const make = async ({name, password = '', expires_in: ends, origins = ''}) => {
    const body = {name: name.trim(), password, expires_in: ends || null};
    if (isFramed) body.embed_in = words(origins).map(originOf);
    if (isFramed && !body.embed_in.length) body.embed_in = ['*'];
    onMade(await send('POST', path, body));
  };
  return (
    <Dialog title={t('share.make')} onClose={onClose}>
      <Form onSend={make} submit={t('share.make')}>
        <Field label={t('share.name')} help={t('share.name_help')} name="name" maxLength={100} />
        <Choice label={t('keys.good_for')} name="expires_in" options={terms()} chosen="" />
        <Check
          label={t('share.framed')}
          help={t('share.framed_help')}
          checked={isFramed}
          onChange={({target}) => setFramed(target.checked)}
        />
        {isFramed ? (
          <Field
            label={t('share.origins')}
            help={t('share.origins_help')}
            name="origins"
            placeholder="https://example.com"
            autocapitalize="none"
            spellcheck={false}
          />
        ) : (
          <Field
            label={t('share.password_optional')}
            help={t('share.password_help')}
            name="password"
            type="password"
            autocomplete="new-password"
          />
        )}
      </Form>
    </Dialog>
  );
};

const Made = ({link, onClose}) => {
  const texts = [[t('share.link'), absolute(link.url)]];
  if (link.embed_url) {
    texts.push([t('share.frame'), frameOf(link.embed_url, t('share.frame_title', {site: link.site}), 700)]);
    texts.push([t('share.token'), link.token]);
  }
  return <Once title={t('share.made')} texts={texts} onClose={onClose} />;
};

const Public = ({site}) => {
  if (!site.public) return null;
  const name = encodeURIComponent(site.name);
  return (
    <Panel title={t('share.public')}>
      <p>{t('share.public_hint')}</p>
      <Copyable label={t('share.link')} text={absolute(`/dashboard/${name}`)} />
      <Copyable
        label={t('share.frame')}
        text={frameOf(`/embed/public/${name}`, t('share.frame_title', {site: site.name}), 700)}
      />
    </Panel>
  );
};

export const Sharing = ({site}) => {
  const path = at`/api/v1/sites/${site.name}/shares`;
  const answer = useAnswer(path, {}, {isKept: false});
  const [open, setOpen] = useState(null); // {isMaking}, {made} or {doomed}
  const show = (next) => {
    setOpen(next);
    answer.reload();
  };
  const revoke = async () => {
    const {doomed} = open;
    await attempt(() => send('DELETE', `${path}/${doomed.id}`), t('share.revoked', {name: doomed.name || doomed.id}));
    show(null);
  };
  return (
    <>
      <Panel
        title={t('share.links')}
        extra={
          <button type="button" class="button primary" onClick={() => setOpen({isMaking: true})}>
            <Icon name="plus" size={16} /> {t('share.make')}
          </button>
        }
      >
        <p class="soft">{t('share.hint')}</p>
        <Answered answer={answer} rows={3}>
          {({shares}) =>
            shares.length ? (
              <Table
                caption={t('share.links')}
                columns={columns((doomed) => setOpen({doomed}))}
                rows={shares}
                keyOf={({id}) => id}
              />
            ) : (
              <Empty title={t('share.none')} hint={t('share.none_hint')} />
            )
          }
        </Answered>
      </Panel>
      <Public site={site} />
      {open?.isMaking && <MakeLink path={path} onMade={(made) => show({made})} onClose={() => setOpen(null)} />}
      {open?.made && <Made link={open.made} onClose={() => setOpen(null)} />}
      {open?.doomed && (
        <Confirm
          title={t('share.revoke_one', {name: open.doomed.name || open.doomed.id})}
          text={t('share.revoke_hint')}
          yes={t('keys.revoke')}
          onYes={revoke}
          onClose={() => setOpen(null)}
        />
      )}
    </>
  );
};
