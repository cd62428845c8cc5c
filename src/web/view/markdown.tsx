/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/**
 * Markdown as elements. No markup is ever parsed: what a text says in HTML is shown as text, so
 * nothing in an answer can run, load or look like a part of the page.
 */
import type { Token, Tokens } from "marked";
import { Component, type ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import {
  type Block,
  decode,
  GrowingMarkdown,
  isComment,
  isLineBreak,
  readBlocks,
  safeLink,
  safePicture,
} from "../markdown.ts";
import { CopyButton } from "./copy.tsx";

/** A text that is complete. */
export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => readBlocks(text), [text]);
  return <Blocks blocks={blocks} />;
}

/** A text that grows. */
export function LiveMarkdown({ text }: { text: string }) {
  const growing = useRef<GrowingMarkdown | undefined>(undefined);
  growing.current ??= new GrowingMarkdown();
  return <Blocks blocks={growing.current.blocks(text)} />;
}

/** So many blocks are looked at together: of a long text only the last few have to be. */
const STRETCH = 32;

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  const stretches = [];
  for (let at = 0; at < blocks.length; at += STRETCH) {
    stretches.push(<Stretch key={at} blocks={blocks.slice(at, at + STRETCH)} />);
  }
  return <div class="prose" dir="auto">{stretches}</div>;
}

class Stretch extends Component<{ blocks: readonly Block[] }> {
  override shouldComponentUpdate({ blocks }: { blocks: readonly Block[] }) {
    const before = this.props.blocks;
    return blocks.length !== before.length || blocks.some((block, i) => block !== before[i]);
  }

  render() {
    return this.props.blocks.map((block, index) => <Piece key={index} block={block} />);
  }
}

/** One block; drawn again only when it is another one. */
class Piece extends Component<{ block: Block }, { failed: boolean }> {
  override state = { failed: false };

  override shouldComponentUpdate({ block }: { block: Block }, { failed }: { failed: boolean }) {
    return block !== this.props.block || failed !== this.state.failed;
  }

  override componentDidCatch() {
    this.setState({ failed: true });
  }

  render() {
    const { block } = this.props;
    return this.state.failed ? <p class="raw">{block.raw}</p> : renderBlock(block, 0);
  }
}

/** Deeper than this nobody reads, and no stack should have to go. */
const MAX_DEPTH = 24;

function renderBlock(token: Token, depth: number): ComponentChildren {
  if (depth > MAX_DEPTH) return <p class="raw">{token.raw}</p>;
  const block = token as Block; // no extensions: there are no other tokens
  switch (block.type) {
    case "heading": {
      const Tag = `h${Math.min(block.depth + 2, 6)}` as "h3";
      return <Tag data-level={block.depth}>{renderInline(block.tokens, depth)}</Tag>;
    }
    case "paragraph":
      return <p>{renderInline(block.tokens, depth)}</p>;
    case "text":
      return renderInline(block.tokens ?? [block], depth);
    case "code":
      return <Code text={block.text} lang={block.lang} />;
    case "blockquote":
      return <blockquote>{renderBlocks(block.tokens, depth)}</blockquote>;
    case "list":
      return <List list={block} depth={depth} />;
    case "table":
      return <Table table={block} depth={depth} />;
    case "hr":
      return <hr />;
    case "html":
      return isComment(block) ? null : <p class="raw">{block.raw}</p>;
    case "checkbox":
      return <input type="checkbox" disabled checked={block.checked} />;
    default:
      return null; // space between blocks, definitions of links
  }
}

function renderBlocks(tokens: readonly Token[] = [], depth: number): ComponentChildren {
  return tokens.map((token) => renderBlock(token, depth + 1));
}

function renderInline(tokens: readonly Token[] = [], depth: number): ComponentChildren {
  if (depth > MAX_DEPTH) return tokens.map(({ raw }) => raw).join("");
  return tokens.map((token) => renderPiece(token as Block, depth + 1));
}

function renderPiece(token: Block, depth: number): ComponentChildren {
  switch (token.type) {
    case "text":
      return token.tokens ? renderInline(token.tokens, depth) : decode(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{renderInline(token.tokens, depth)}</strong>;
    case "em":
      return <em>{renderInline(token.tokens, depth)}</em>;
    case "del":
      return <del>{renderInline(token.tokens, depth)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return <Link href={token.href}>{renderInline(token.tokens, depth)}</Link>;
    case "image": {
      const src = safePicture(token.href, location.href);
      if (src !== undefined) return <img src={src} alt={token.text} loading="lazy" />;
      return <Link href={token.href}>Picture: {token.text || token.href}</Link>;
    }
    case "html":
      return isLineBreak(token) ? <br /> : isComment(token) ? null : token.raw;
    default:
      return renderBlock(token, depth);
  }
}

function Link({ href, children }: { href: string; children: ComponentChildren }) {
  const safe = safeLink(href, location.href);
  if (safe === undefined) return <>{children}</>;
  return <a href={safe} target="_blank" rel="noopener noreferrer">{children}</a>;
}

function List({ list, depth }: { list: Tokens.List; depth: number }) {
  const items = list.items.map((item, index) => (
    <li key={index} class={item.task ? "task" : undefined}>
      {renderBlocks(item.tokens, depth)}
    </li>
  ));
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ table, depth }: { table: Tokens.Table; depth: number }) {
  return (
    <div class="table" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) => (
              <th key={index} data-align={cell.align}>{renderInline(cell.tokens, depth)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, index) => (
                <td key={index} data-align={cell.align}>{renderInline(cell.tokens, depth)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Code({ text, lang }: { text: string; lang?: string }) {
  const language = lang?.split(/\s/, 1)[0] || "text";
  return (
    <figure class="code">
      <figcaption>
        <span>{language}</span>
        <CopyButton text={text} what="code" />
      </figcaption>
      <pre tabIndex={0}><code>{text}</code></pre>
    </figure>
  );
}
