/** Makes a filter, or changes one: what of a visit, how it compares, with which values. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {useProperties} from '../../app/properties.js';
import {Dialog} from '../dialog.jsx';
import {Field} from '../form.jsx';
import {ValuesField} from './ValuesField.jsx';
import {GROUPS, PROPERTY, dimensionName, isNumeric, operatorsOf} from './names.js';

const isComparing = (operator) => /^[gl]te?$/.test(operator);

const startOf = (filter) => {
  if (!filter) return {dimension: 'page', operator: 'is', values: [], property: ''};
  const isProperty = filter.dimension.startsWith(PROPERTY);
  return {
    ...filter,
    dimension: isProperty ? 'prop' : filter.dimension,
    property: isProperty ? filter.dimension.slice(PROPERTY.length) : '',
  };
};

const Dimensions = ({value, onChange}) => (
  <Field label={t('filters.dimension')} type="select" value={value} onChange={({target}) => onChange(target.value)}>
    {GROUPS.map(([group, dimensions]) => (
      <optgroup key={group} label={t(`filters.group_${group}`)}>
        {dimensions.map((name) => (
          <option key={name} value={name}>
            {name === 'prop' ? t('filters.any_property') : dimensionName(name)}
          </option>
        ))}
      </optgroup>
    ))}
  </Field>
);

const Property = ({question, value, onChange}) => {
  const {data} = useProperties(question);
  return (
    <>
      <Field
        label={t('filters.property_name')}
        help={t('filters.property_help')}
        value={value}
        list="filter-properties"
        autoComplete="off"
        required
        onInput={({target}) => onChange(target.value)}
      />
      <datalist id="filter-properties">
        {(data?.properties ?? []).map(({name}) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
};

const OneNumber = ({values, onChange}) => (
  <Field
    label={t('filters.number')}
    type="number"
    step="any"
    required
    value={values[0] ?? ''}
    onInput={({target}) => onChange(target.value === '' ? [] : [target.value])}
  />
);

const HELP = {matches: 'filters.help_matches', not_matches: 'filters.help_matches', is: 'filters.help_is'};

/** Without `filter` it makes a new one; `onKeep` gets it. */
export const FilterDialog = ({question, filter, onKeep, onClose}) => {
  const [draft, setDraft] = useState(() => startOf(filter));
  const [isWarned, setWarned] = useState(false);
  const dimension = draft.dimension === 'prop' ? `${PROPERTY}${draft.property.trim()}` : draft.dimension;
  const operators = operatorsOf(dimension);
  const operator = operators.includes(draft.operator) ? draft.operator : operators[0];
  const isNumber = isComparing(operator) || isNumeric(dimension);
  const isReady = draft.values.length > 0 && dimension !== PROPERTY;
  const change = (more) => setDraft((old) => ({...old, ...more}));
  const keep = (event) => {
    event.preventDefault();
    if (isReady) onKeep({dimension, operator, values: isNumber ? draft.values.slice(0, 1) : draft.values});
    else setWarned(true);
  };
  return (
    <Dialog title={t(filter ? 'filters.edit' : 'filters.add')} onClose={onClose}>
      <form class="form" onSubmit={keep} noValidate>
        <div class="filter-parts">
          <Dimensions value={draft.dimension} onChange={(value) => change({dimension: value, values: []})} />
          <Field
            label={t('filters.operator')}
            type="select"
            value={operator}
            onChange={({target}) => change({operator: target.value})}
          >
            {operators.map((name) => (
              <option key={name} value={name}>
                {t(`operator.${name}`)}
              </option>
            ))}
          </Field>
        </div>
        {draft.dimension === 'prop' && (
          <Property question={question} value={draft.property} onChange={(property) => change({property})} />
        )}
        {isNumber ? (
          <OneNumber values={draft.values} onChange={(values) => change({values})} />
        ) : (
          <ValuesField
            key={dimension}
            question={question}
            dimension={dimension}
            values={draft.values}
            help={HELP[operator] ? t(HELP[operator]) : ''}
            onChange={(values) => change({values})}
          />
        )}
        {isWarned && !isReady && (
          <p class="trouble" role="alert">
            {t('filters.no_value')}
          </p>
        )}
        <p class="actions">
          <button type="button" class="button" onClick={onClose}>
            {t('state.cancel')}
          </button>
          <button type="submit" class="button primary">
            {t('filters.keep')}
          </button>
        </p>
      </form>
    </Dialog>
  );
};
