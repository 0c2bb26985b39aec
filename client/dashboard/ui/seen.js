/** What is below the edge of the screen is asked for when it comes near. */
import {useEffect, useRef, useState} from 'preact/hooks';

const NEAR = '150px';

/** Returns a ref for an element, and whether it was seen already, or is printed. */
export const useSeen = () => {
  const box = useRef(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    // One call may tell of several moments: on a busy machine "not yet" and "now" come together.
    const look = (moments) => moments.some(({isIntersecting}) => isIntersecting) && setSeen(true);
    const observer = new IntersectionObserver(look, {rootMargin: NEAR});
    const all = () => setSeen(true);
    observer.observe(box.current);
    addEventListener('beforeprint', all);
    return () => {
      observer.disconnect();
      removeEventListener('beforeprint', all);
    };
  }, []);
  return [box, isSeen];
};
