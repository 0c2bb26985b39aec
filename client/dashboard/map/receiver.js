/** Takes the shapes that jsvectormap's data file gives to a library of that name; it is imported before that file. */
export const received = {paths: {}};

globalThis.jsVectorMap = {
  addMap: (_, {paths}) => {
    received.paths = paths;
  },
};
