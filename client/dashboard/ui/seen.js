/** What is below the edge of the screen is asked for when it comes near. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {isPrinting} from '../app/printing.js';

const NEAR = '150px';

/** Returns a ref for an element, and whether it was seen already, or is printed. */
export const useSeen = () => {
  const box = useRef(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    // One call may tell of several moments: on a busy machine "not yet" and "now" come together.
    const look = (moments) => moments.some(({isIntersecting}) => isIntersecting) && setSeen(true);
    const observer = new IntersectionObserver(look, {rootMargin: NEAR});
    observer.observe(box.current);
    const whenPrinted = (is) => is && setSeen(true);
    whenPrinted(isPrinting.get());
    const stop = isPrinting.subscribe(whenPrinted);
    return () => {
      observer.disconnect();
      stop();
    };
  }, []);
  return [box, isSeen];
};
