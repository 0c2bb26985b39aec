/** Sees routers change the address in browsers without the Navigation API. */
import {quietly} from './parts/quietly.js';

export const start = ({view}) => {
  const {pushState} = history;
  const later = () => setTimeout(view); // pages set their title after their address
  quietly(() => {
    history.pushState = function (...given) {
      pushState.apply(this, given);
      later();
    };
  })();
  addEventListener('popstate', later);
  view();
};
