/** Numbers of the steps of a funnel. */

/** Returns how many made a step: visits, or visitors where these are followed over several visits. */
export const countOf = ({follows}, step) => (follows === 'visits' ? step.visits : step.visitors);

/** Returns the step after which the most of those who made it were lost, as its place; -1 where nobody was. */
export const worstOf = (steps) => {
  const rates = steps.map(({drop_rate: rate}) => rate ?? 0);
  const most = Math.max(...rates);
  return most > 0 ? rates.indexOf(most) : -1;
};
