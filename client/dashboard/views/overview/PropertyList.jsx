/** What events told besides their name: the values of one property. */
import {t} from '../../app/i18n.js';
import {useParam} from '../../app/place.js';
import {useProperties} from '../../app/properties.js';
import {PROPERTY} from '../../ui/filters/names.js';
import {Answered, Empty} from '../../ui/states.jsx';
import {ValueList} from './ValueList.jsx';

export const PropertyList = (shared) => {
  const {question} = shared;
  const answer = useProperties(question);
  const [chosen, setChosen] = useParam('property');
  return (
    <Answered answer={answer} rows={8}>
      {({properties}) => {
        if (!properties.length) return <Empty title={t('empty.properties')} hint={t('empty.properties_hint')} />;
        const name = properties.some((one) => one.name === chosen) ? chosen : properties[0].name;
        return (
          <>
            <select
              class="list-choice"
              aria-label={t('filters.property_name')}
              value={name}
              onChange={({target}) => setChosen(target.value)}
            >
              {properties.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.name}
                </option>
              ))}
            </select>
            <ValueList {...shared} key={name} list={{name: 'property', dimension: `${PROPERTY}${name}`}} />
          </>
        );
      }}
    </Answered>
  );
};
