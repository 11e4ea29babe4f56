// What the check of types takes for granted, because it is there for what the server answers.

/** Elements come out of templates, and are what their page makes of them. */
interface EventTarget {
  [property: string]: any;
}

interface Event {
  [property: string]: any;
}
