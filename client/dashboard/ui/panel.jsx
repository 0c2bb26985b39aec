/** A card with a title; `extra` stands at the end of its first line. */
export const Panel = ({title, extra, class: name = '', children}) => (
  <section class={`panel ${name}`} aria-label={title}>
    <header>
      <h2>{title}</h2>
      {extra}
    </header>
    {children}
  </section>
);

/** Choices of which one is shown, as buttons; `choices` are [value, text]. */
export const Tabs = ({label, choices, chosen, onChoose, class: name = ''}) => (
  <div class={`tabs ${name}`} role="group" aria-label={label}>
    {choices.map(([value, text]) => (
      <button key={value} type="button" aria-pressed={value === chosen} onClick={() => onChoose(value)}>
        {text}
      </button>
    ))}
  </div>
);

/** The title of a view, with what may be done at its end. */
export const Title = ({children, extra}) => (
  <div class="view-title">
    <h1>{children}</h1>
    {extra}
  </div>
);
