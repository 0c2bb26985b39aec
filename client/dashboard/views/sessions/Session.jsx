/** One session: who and whence, its recording, and everything that happened, in order. */
import {useMemo, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {duration, languageName, moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {useShortcuts} from '../../app/keys.js';
import {toView} from '../../app/place.js';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';
import {Recording, useRecording} from './Recording.jsx';
import {Timeline} from './Timeline.jsx';
import {Address, deviceText, Place, sourceText, VisitorLink} from './parts.jsx';
import {storyOf} from './story.js';

const UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'];

const Fact = ({name, children}) =>
  children ? (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  ) : null;

const placeText = ({city, region}) => [city, region].filter(Boolean).join(', ');

const Facts = ({session}) => {
  const {source} = session;
  return (
    <dl class="person-facts">
      <Fact name={t('sessions.visitor')}>{session.visitor && <VisitorLink visitor={session.visitor} />}</Fact>
      <Fact name={t('sessions.place')}>
        {session.country && <Place code={session.country} city={placeText(session)} />}
      </Fact>
      <Fact name={t('sessions.source')}>
        {source.channel && sourceText({channel: source.channel, source: source.name})}
      </Fact>
      <Fact name={t('dimension.referrer')}>{source.referrer && <Address address={withScheme(source.referrer)} />}</Fact>
      {UTM.map((name) => (
        <Fact key={name} name={t(`dimension.${name}`)}>
          {source[name]}
        </Fact>
      ))}
      <Fact name={t('sessions.device')}>{session.browser && deviceText(session)}</Fact>
      <Fact name={t('dimension.language')}>{session.language && languageName(session.language)}</Fact>
      <Fact name={t('dimension.screen')}>{session.screen}</Fact>
      <Fact name={t('metric.duration')}>{duration(session.duration_seconds * 1000)}</Fact>
      <Fact name={t('metric.engaged')}>{duration(session.engaged_seconds * 1000)}</Fact>
      <Fact name={t('sessions.pages')}>{whole(session.pageviews)}</Fact>
      <Fact name={t('metric.events')}>{whole(session.total_events)}</Fact>
    </dl>
  );
};

/** Referrers are stored without their scheme. */
const withScheme = (referrer) => (/^[a-z][a-z0-9+.-]*:/i.test(referrer) ? referrer : `https://${referrer}`);

/** The events and the player know of each other: a row goes to its moment, and the moment marks its row. */
const Shown = ({session, place}) => {
  const [chosen, setChosen] = useState(-1);
  const story = useMemo(() => storyOf(session.events), [session]);
  const recording = useRecording();
  const visit = session.visits[0] ?? place.id;
  const choose = (row) => {
    setChosen(row);
    recording.seek(story[row].id);
    document.getElementById(`event-${row}`)?.focus();
  };
  const step = (by) => story.length && choose(Math.max(0, Math.min(story.length - 1, chosen + by)));
  useShortcuts(
    {
      j: [t('sessions.key_next'), () => step(1)],
      k: [t('sessions.key_before'), () => step(-1)],
      ...(session.replay && {p: [t('sessions.key_play'), () => recording.toggle()]}),
    },
    [chosen, story, recording.offsets],
  );
  return (
    <>
      <Panel title={t('sessions.about')}>
        <Facts session={session} />
      </Panel>
      <div class={session.replay ? 'session-parts' : ''}>
        {session.replay && <Recording replay={session.replay} site={place.site} visit={visit} recording={recording} />}
        <Panel title={t('sessions.events')}>
          <Timeline story={story} chosen={chosen} recording={recording} onChoose={choose} />
          {session.truncated && <p class="soft">{t('sessions.truncated')}</p>}
          {story.length === 0 && <p class="soft">{t('sessions.only_recording')}</p>}
        </Panel>
      </div>
    </>
  );
};

export const Session = ({place}) => {
  const answer = useAnswer(at`/sessions/${place.id}`, {site: place.site});
  return (
    <>
      <Title extra={<a href={toView('sessions')}>{t('sessions.back')}</a>}>
        {answer.data ? t('sessions.of', {time: moment(answer.data.started_at)}) : t('sessions.one')}
      </Title>
      <Answered answer={answer} rows={12}>
        {(session) => <Shown session={session} place={place} />}
      </Answered>
    </>
  );
};
