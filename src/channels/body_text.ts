/** A body as text; `undefined` where it is larger than `most` bytes. Rejects where it breaks off. */
export async function bodyText(
  { body }: Request | Response,
  most: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const part of body ?? []) {
    size += part.length;
    if (size > most) return undefined; // leaving the loop cancels the rest
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}
