/** Forms: labelled fields, and a form that says what the server refused where it was typed. */
import {useId, useState} from 'preact/hooks';
import {t} from '../app/i18n.js';
import {wordsOf} from './states.jsx';

const Help = ({id, text}) => (text ? <small id={id}>{text}</small> : null);

/** A labelled input; `type` textarea and select (children are options) too. Other properties go to the input. */
export const Field = ({label, help, type = 'text', children, class: name = '', ...rest}) => {
  const id = useId();
  const Tag = ['textarea', 'select'].includes(type) ? type : 'input';
  const shared = {id, 'aria-describedby': help ? `${id}-help` : undefined, ...rest};
  return (
    <div class={`field ${name}`}>
      <label for={id}>{label}</label>
      {Tag === 'input' ? <input type={type} {...shared} /> : <Tag {...shared}>{children}</Tag>}
      <Help id={`${id}-help`} text={help} />
    </div>
  );
};

/** A box to tick, with its text. */
export const Check = ({label, help, ...rest}) => {
  const id = useId();
  return (
    <div class="field check">
      <input id={id} type="checkbox" {...rest} />
      <label for={id}>
        {label} <Help text={help} />
      </label>
    </div>
  );
};

/** Returns the values of a form by the names of its fields; boxes are true or false. */
export const valuesOf = (form) =>
  Object.fromEntries(
    [...form.elements]
      .filter(({name}) => name)
      .map((field) => [field.name, field.type === 'checkbox' ? field.checked : field.value]),
  );

/** Sends `onSend(values, form)` once at a time; what is thrown is shown above the buttons. `extra` stands beside the button. */
export const Form = ({onSend, submit, extra, isDanger, children, ...rest}) => {
  const [state, setState] = useState({});
  const send = async (event) => {
    event.preventDefault();
    if (state.isBusy) return;
    setState({isBusy: true});
    try {
      await onSend(valuesOf(event.target), event.target);
      setState({});
    } catch (error) {
      setState({error});
    }
  };
  return (
    <form class="form" onSubmit={send} {...rest}>
      {children}
      {state.error && (
        <p class="trouble" role="alert">
          {wordsOf(state.error).filter(Boolean).join(' ')}
        </p>
      )}
      <p class="actions">
        {extra}
        <button
          type="submit"
          class={isDanger ? 'button danger' : 'button primary'}
          aria-disabled={Boolean(state.isBusy)}
        >
          {submit ?? t('state.save')}
        </button>
      </p>
    </form>
  );
};
