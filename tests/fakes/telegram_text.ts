/** What Telegram's server makes of a text: its length, its entities, and how it refuses it. */

/** Thrown where the server would refuse; `description` as it words it. */
export class TextError extends Error {}

/** An entity of a message, as the Bot API writes it. */
export interface Entity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
}

const ENTITY_TYPES: ReadonlySet<string> = new Set(
  ("bold italic underline strikethrough spoiler code pre text_link text_mention custom_emoji " +
    "blockquote expandable_blockquote mention hashtag cashtag bot_command url email phone_number")
    .split(" "),
);

/**
 * The text as people see it. Throws a `TextError` for markup that can't be parsed, for what is empty
 * and for what is longer than `limit`; `what` names it in the refusal.
 */
export function acceptText(
  raw: string,
  { parseMode, entities, limit, what }: {
    parseMode?: string;
    entities?: unknown;
    limit: number;
    what: "text" | "caption";
  },
): { text: string; entities: readonly Entity[] } {
  if (new TextEncoder().encode(raw).length > 32768) throw new TextError("text is too long");
  if (raw.length === 0 && what === "text") throw new TextError("message text is empty");
  const parsed = parse(raw, parseMode?.toLowerCase() ?? "none", entities);
  const leading = parsed.text.length - parsed.text.trimStart().length;
  const text = parsed.text.trim();
  if (text.length === 0 && what === "text") throw new TextError("text must be non-empty");
  if (text.length > limit) {
    throw new TextError(
      what === "text" ? "message is too long" : "message caption is too long",
    );
  }
  return {
    text,
    entities: parsed.entities
      .map((entity) => clip(entity, leading, text.length))
      .filter(({ length }) => length > 0)
      .slice(0, 100),
  };
}

function parse(raw: string, mode: string, entities: unknown): {
  text: string;
  entities: readonly Entity[];
} {
  if (mode === "html") return parseHtml(raw);
  if (mode === "markdownv2") return parseMarkdown(raw, RESERVED);
  if (mode === "markdown") return parseMarkdown(raw, "");
  if (mode !== "none") throw new TextError("unsupported parse_mode");
  return { text: raw, entities: Array.isArray(entities) ? entities.map(asEntity) : [] };
}

function asEntity(value: unknown): Entity {
  const refuse = (why: string) => new TextError(`can't parse MessageEntity: ${why}`);
  if (typeof value !== "object" || value === null) throw refuse("expected an Object");
  const { type, offset, length, url, language } = value as Record<string, unknown>;
  if (typeof offset !== "number") throw refuse('Can\'t find field "offset"');
  if (typeof length !== "number") throw refuse('Can\'t find field "length"');
  if (typeof type !== "string") throw refuse('Can\'t find field "type"');
  if (!ENTITY_TYPES.has(type)) throw refuse("Unsupported type specified");
  if (type === "text_link" && typeof url !== "string") throw refuse('Can\'t find field "url"');
  return {
    type,
    offset,
    length,
    ...(typeof url === "string" ? { url } : {}),
    ...(typeof language === "string" ? { language } : {}),
  };
}

/** The server drops what lies outside of the text, silently. */
function clip(entity: Entity, leading: number, size: number): Entity {
  const start = Math.min(Math.max(0, entity.offset - leading), size);
  const end = Math.min(Math.max(0, entity.offset - leading + entity.length), size);
  return { ...entity, offset: start, length: end - start };
}

const HTML_TAGS: ReadonlyMap<string, string> = new Map([
  ["b", "bold"],
  ["strong", "bold"],
  ["i", "italic"],
  ["em", "italic"],
  ["u", "underline"],
  ["ins", "underline"],
  ["s", "strikethrough"],
  ["strike", "strikethrough"],
  ["del", "strikethrough"],
  ["span", "spoiler"],
  ["tg-spoiler", "spoiler"],
  ["code", "code"],
  ["pre", "pre"],
  ["a", "text_link"],
  ["blockquote", "blockquote"],
]);

function parseHtml(raw: string): { text: string; entities: readonly Entity[] } {
  let text = "";
  const open: { tag: string; offset: number; url?: string }[] = [];
  const entities: Entity[] = [];
  for (let at = 0; at < raw.length;) {
    const tag = /^<(\/?)([a-z-]+)([^<>]*)>/i.exec(raw.slice(at));
    if (raw[at] === "<" && tag === null) {
      throw unparsable(`Unsupported start tag "" at byte offset ${bytes(raw, at)}`);
    }
    if (tag === null) {
      const [, entity] = /^(&(?:lt|gt|amp|quot|#\d+);)/.exec(raw.slice(at)) ?? [];
      text += entity === undefined ? raw[at] : decode(entity);
      at += entity?.length ?? 1;
      continue;
    }
    const [whole, slash, written, attributes] = tag;
    const name = written!.toLowerCase();
    const type = HTML_TAGS.get(name);
    if (slash === "/") {
      const started = open.pop();
      if (started === undefined) {
        throw unparsable(`Unexpected end tag at byte offset ${bytes(raw, at)}`);
      }
      if (started.tag !== name) {
        throw unparsable(
          `Unmatched end tag at byte offset ${
            bytes(raw, at)
          }, expected "</${started.tag}>", found "</${name}>"`,
        );
      }
      const { offset, url } = started;
      entities.push({ type: type!, offset, length: text.length - offset, ...(url && { url }) });
    } else {
      if (type === undefined) {
        throw unparsable(`Unsupported start tag "${name}" at byte offset ${bytes(raw, at)}`);
      }
      const [, url] = /href="([^"]*)"/.exec(attributes!) ?? [];
      open.push({ tag: name, offset: text.length, ...(url === undefined ? {} : { url }) });
    }
    at += whole.length;
  }
  const left = open.pop();
  if (left !== undefined) {
    throw unparsable(`Can't find end tag corresponding to start tag "${left.tag}"`);
  }
  return { text, entities };
}

const RESERVED = "_*[]()~`>#+-=|{}.!";
const MARKS: ReadonlyMap<string, string> = new Map([
  ["*", "bold"],
  ["_", "italic"],
  ["~", "strikethrough"],
  ["`", "code"],
]);

/** Both of Telegram's own dialects, as far as single marks go. */
function parseMarkdown(raw: string, reserved: string): {
  text: string;
  entities: readonly Entity[];
} {
  let text = "";
  const open: { mark: string; offset: number; at: number }[] = [];
  const entities: Entity[] = [];
  for (let at = 0; at < raw.length; at++) {
    const sign = raw[at]!;
    const started = open.at(-1);
    if (sign === "\\" && at + 1 < raw.length) {
      text += raw[++at];
    } else if (started?.mark === sign) {
      open.pop();
      const { offset } = started;
      entities.push({ type: MARKS.get(sign)!, offset, length: text.length - offset });
    } else if (started?.mark === "`") {
      text += sign;
    } else if (MARKS.has(sign) && (reserved !== "" || sign !== "~")) {
      open.push({ mark: sign, offset: text.length, at });
    } else if (reserved.includes(sign)) {
      throw unparsable(
        `Character '${sign}' is reserved and must be escaped with the preceding '\\'`,
      );
    } else {
      text += sign;
    }
  }
  const left = open.pop();
  if (left !== undefined) {
    throw unparsable(
      `Can't find end of the entity starting at byte offset ${bytes(raw, left.at)}`,
    );
  }
  return { text, entities };
}

function unparsable(why: string): TextError {
  return new TextError(`can't parse entities: ${why}`);
}

function bytes(text: string, units: number): number {
  return new TextEncoder().encode(text.slice(0, units)).length;
}

function decode(entity: string): string {
  const named: Readonly<Record<string, string>> = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
  };
  return named[entity] ?? String.fromCodePoint(Number(entity.slice(2, -1)));
}
