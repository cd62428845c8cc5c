/** JSON5, in a file of its own so that only who meets it pays for it. */
import JSON5 from "json5";

export function parseJson5(text: string): unknown {
  return JSON5.parse(text);
}
