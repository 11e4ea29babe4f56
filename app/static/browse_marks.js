// What a search looks for, marked where the page shows it.
import { h } from "./dom.js";

const WORD = /\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])+/gu;
const BEGINNING = 3; // letters that the last word needs to be taken as a beginning
const UNMARKED = "input, textarea, select, .hidden-text, mark, small";

/** A text in lower case without accents, with the place in the text that each letter came from. */
function plain(text) {
  let letters = "";
  const places = [];
  let place = 0;
  for (const letter of text) {
    const bare = letter.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    letters += bare;
    for (let at = 0; at < bare.length; at++) places.push(place);
    place += letter.length;
  }
  return { letters, places: [...places, place] };
}

const wordsOf = (text) => plain(text).letters.match(WORD) ?? [];

function pattern(words, phrases) {
  const [before, behind] = ["(?<![\\p{L}\\p{N}])", "(?![\\p{L}\\p{N}])"];
  const last = words.at(-1);
  const one = (word) =>
    before + word + (word === last && word.length >= BEGINNING ? "[\\p{L}\\p{N}]*" : behind);
  const together = (text) => before + wordsOf(text).join("[^\\p{L}\\p{N}]+") + behind;
  return [...phrases.filter((text) => wordsOf(text).length).map(together), ...words.map(one)];
}

/**
 * A function that marks in an element what is looked for, and returns whether it did or there is
 * nothing to look for.
 */
export function marker(words, phrases) {
  const patterns = pattern(words.flatMap(wordsOf), phrases);
  if (!patterns.length) return () => true;
  const search = new RegExp(patterns.join("|"), "gu");

  function markText(node) {
    const { letters, places } = plain(node.data);
    const hits = [...letters.matchAll(search)].filter(([hit]) => hit);
    for (const hit of hits.reverse()) {
      const [from, to] = [places[hit.index], places[hit.index + hit[0].length]];
      const rest = node.splitText(from);
      rest.splitText(to - from);
      rest.replaceWith(h("mark", {}, rest.data));
    }
    return hits.length > 0;
  }

  return (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement.closest(UNMARKED)) nodes.push(walker.currentNode);
    }
    return nodes.map(markText).some(Boolean);
  };
}
