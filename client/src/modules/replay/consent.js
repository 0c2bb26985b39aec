/** What visitors decided of themselves. The server heeds it too; but what it must not have is not sent. */

const hasOptedOut = () => {
  try {
    return Boolean(Number(localStorage['vt.off']));
  } catch {
    return false;
  }
};

const objects = () => navigator.globalPrivacyControl || navigator.doNotTrack === '1';

// `quiet` of the settings is what the site does about them: 1 knows no visitor, 2 takes nothing, as in tracker/storage.js.

/** Says whether a recording may be made, which follows one visitor: not where the site heeds who objects to that. */
export const mayRecord = ({quiet}) => !(quiet && objects()) && !hasOptedOut();

/** Says whether a visitor may be in a heatmap, which names nobody. */
export const mayCount = ({quiet}) => !(quiet > 1 && objects()) && !hasOptedOut();
