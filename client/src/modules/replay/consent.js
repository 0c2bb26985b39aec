/** What visitors decided of themselves. The server heeds it too; but what it must not have is not sent. */

const hasOptedOut = () => {
  try {
    return Boolean(Number(localStorage['vt.off']));
  } catch {
    return false;
  }
};

const objects = () => navigator.globalPrivacyControl || navigator.doNotTrack === '1';

/** Says whether a recording may be made, which follows one visitor: not where the site heeds who objects to that. */
export const mayRecord = ({quiet}) => !(quiet && objects()) && !hasOptedOut();

/** Says whether a visitor may be in a heatmap, which names nobody. */
export const mayCount = ({quiet}) => !(quiet === 'drop' && objects()) && !hasOptedOut();
