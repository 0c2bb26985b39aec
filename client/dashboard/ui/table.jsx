/** A plain table that scrolls sideways by itself where it is too wide. */

/** `columns`: [{name, title, isNumber, show: (row) => …}]; `caption` is read aloud; `keyOf` tells rows apart. */
export const Table = ({caption, columns, rows, keyOf = (_, place) => place}) => (
  // A box that scrolls must be reachable by keyboard.
  <div class="table-box" tabIndex={0} role="region" aria-label={caption}>
    <table>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({name, title, isNumber}) => (
            <th key={name} scope="col" class={isNumber ? 'number' : ''}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          <tr key={keyOf(row, place)}>
            {columns.map(({name, isNumber, show}) => (
              <td key={name} class={isNumber ? 'number' : ''}>
                {show(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
