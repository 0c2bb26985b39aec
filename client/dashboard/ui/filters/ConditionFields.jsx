/** The fields of one condition: what of a visit, how it compares, with which values. */
import {useEffect, useRef} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {useProperties} from '../../app/properties.js';
import {Field} from '../form.jsx';
import {ValuesField} from './ValuesField.jsx';
import {dimensionOf, isNumber, operatorOf} from './drafts.js';
import {GROUPS, dimensionName, operatorsOf} from './names.js';

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

const Operators = ({draft, onChange}) => (
  <Field
    label={t('filters.operator')}
    type="select"
    value={operatorOf(draft)}
    onChange={({target}) => onChange(target.value)}
  >
    {operatorsOf(dimensionOf(draft)).map((name) => (
      <option key={name} value={name}>
        {t(`operator.${name}`)}
      </option>
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

/** `onChange` gets what is different now; `isEntered` puts the focus into the first field. */
export const ConditionFields = ({question, draft, isEntered, onChange}) => {
  const box = useRef(null);
  const dimension = dimensionOf(draft);
  const operator = operatorOf(draft);
  useEffect(() => {
    if (isEntered) box.current.querySelector('select').focus();
  }, [isEntered]);
  return (
    <div class="condition-fields" ref={box}>
      <div class="filter-parts">
        <Dimensions value={draft.dimension} onChange={(value) => onChange({dimension: value, values: []})} />
        <Operators draft={draft} onChange={(value) => onChange({operator: value})} />
      </div>
      {draft.dimension === 'prop' && (
        <Property question={question} value={draft.property} onChange={(property) => onChange({property})} />
      )}
      {isNumber(draft) ? (
        <OneNumber values={draft.values} onChange={(values) => onChange({values})} />
      ) : (
        <ValuesField
          key={dimension}
          question={question}
          dimension={dimension}
          values={draft.values}
          help={HELP[operator] ? t(HELP[operator]) : ''}
          onChange={(values) => onChange({values})}
        />
      )}
    </div>
  );
};
