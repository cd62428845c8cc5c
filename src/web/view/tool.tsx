/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** A tool at work, or what came of it. */
import type { CallView } from "../conversation.ts";
import { CopyButton } from "./copy.tsx";
import { Icon } from "./icon.tsx";

const STATES: Readonly<Record<CallView["state"], string>> = {
  running: "running",
  ok: "done",
  failed: "failed",
  unknown: "not finished",
};

export function Tool({ call }: { call: CallView }) {
  const { name, args, state, output, pictures } = call;
  const input = args === undefined ? "" : JSON.stringify(args, null, 2);
  return (
    <details class="tool" data-state={state}>
      <summary>
        <Icon name="chevron" />
        <code>{name}</code>
        <span class="gist">{gist(args)}</span>
        <span class="state">{STATES[state]}</span>
      </summary>
      {input !== "" && input !== "{}" && <Part title="Input" text={input} />}
      {output !== "" && <Part title={state === "failed" ? "Error" : "Output"} text={output} />}
      {pictures.map(({ src }, index) =>
        src === undefined ? null : <img key={index} src={src} alt={`Picture from ${name}`} />
      )}
      {output === "" && state !== "running" && pictures.length === 0 && (
        <p class="nothing">{state === "unknown" ? "Its result isn't known." : "No output."}</p>
      )}
    </details>
  );
}

function Part({ title, text }: { title: string; text: string }) {
  return (
    <figure class="code">
      <figcaption>
        <span>{title}</span>
        <CopyButton text={text} what={title.toLowerCase()} />
      </figcaption>
      <pre tabIndex={0}><code>{text}</code></pre>
    </figure>
  );
}

/** The argument that says most: the first text. */
function gist(args: unknown): string {
  if (typeof args !== "object" || args === null) return "";
  const text = Object.values(args).find((value) => typeof value === "string" && value !== "");
  return typeof text === "string" ? text.slice(0, 200).replace(/\s+/g, " ") : "";
}
