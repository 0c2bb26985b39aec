/** The panels below the chart; each asks once it is seen, and only for the list that is chosen. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {useParam} from '../../app/place.js';
import {Panel, Tabs} from '../../ui/panel.jsx';
import {useSeen} from '../../ui/seen.js';
import {Skeleton} from '../../ui/states.jsx';
import {GoalList} from './GoalList.jsx';
import {MapList} from './MapList.jsx';
import {PropertyList} from './PropertyList.jsx';
import {ValueList} from './ValueList.jsx';
import {PANELS} from './lists.js';

const VIEWS = {goals: GoalList, map: MapList, properties: PropertyList};

const ListPanel = ({name, lists, ...shared}) => {
  const [box, isSeen] = useSeen();
  const [chosen, setChosen] = useParam(name, lists[0].name);
  const [extra, setExtra] = useState(null);
  const list = lists.find((one) => one.name === chosen) ?? lists[0];
  const List = VIEWS[list.view] ?? ValueList;
  return (
    <div ref={box} class={`list-panel panel-${name}`}>
      <Panel title={t(`panel.${name}`)} extra={extra}>
        <Tabs
          class={t(`list.${list.name}`) === t(`panel.${name}`) ? 'unprinted' : ''}
          label={t(`panel.${name}`)}
          choices={lists.map((one) => [one.name, t(`list.${one.name}`)])}
          chosen={list.name}
          onChoose={setChosen}
        />
        {isSeen ? <List key={list.name} list={list} setExtra={setExtra} {...shared} /> : <Skeleton rows={8} />}
      </Panel>
    </div>
  );
};

export const Panels = (shared) => (
  <div class="grid overview-panels">
    {PANELS.map(({name, lists}) => (
      <ListPanel key={name} name={name} lists={lists} {...shared} />
    ))}
  </div>
);
