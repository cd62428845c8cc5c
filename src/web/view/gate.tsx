/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** What one sees while the gateway doesn't let this browser in. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LinkState } from "../link.ts";
import { CopyButton } from "./copy.tsx";
import { useApp, useNow } from "./hooks.ts";
import { Icon, Mark } from "./icon.tsx";

/** The whole page, while there is nothing else to show. */
export function Gate({ link }: { link: Exclude<LinkState, { is: "connected" }> }) {
  switch (link.is) {
    case "asking":
      return <SignIn key={link.secret} {...link} />;
    case "pairing":
      return <Pairing {...link} />;
    case "refused":
      return <Refused {...link} />;
    case "waiting":
      return <Unreachable {...link} />;
    case "connecting":
      return (
        <Panel title="OpenClaw">
          <p class="hint" role="status">Connecting…</p>
        </Panel>
      );
  }
}

function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="gate">
      <div class="panel">
        <Mark />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

function SignIn({ secret, problem }: { secret: "token" | "password"; problem?: string }) {
  const app = useApp();
  const [kind, setKind] = useState(secret);
  const [value, setValue] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [kind]);
  const other = kind === "token" ? "password" : "token";
  return (
    <Panel title="Sign in to your gateway">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (value.trim() !== "") app.link.signIn({ kind, secret: value.trim() });
        }}
      >
        {kind === "token"
          ? (
            <>
              <p>
                On the machine that runs the gateway, run this, and open the address that it prints:
              </p>
              <Command text="openclaw dashboard" />
              <p>
                Or paste the part after <code>#token=</code> here.
              </p>
            </>
          )
          : <p>Enter the password that the gateway was given when it was set up.</p>}
        <label class="field">
          <span>{kind === "token" ? "Token" : "Password"}</span>
          <input
            type="password"
            value={value}
            ref={field}
            autocomplete={kind === "password" ? "current-password" : "off"}
            spellcheck={false}
            aria-invalid={problem !== undefined}
            aria-describedby={problem === undefined ? undefined : "sign-in-problem"}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        {problem !== undefined && <p class="problem" id="sign-in-problem" role="alert">{problem}
        </p>}
        <div class="actions">
          <button type="button" class="link" onClick={() => setKind(other)}>
            Use a {other} instead
          </button>
          <button type="submit" class="primary" disabled={value.trim() === ""}>Sign in</button>
        </div>
      </form>
      <p class="small">
        {kind === "token"
          ? "The token stays in this browser until you sign out."
          : "The password isn't kept; this browser gets a key of its own, which you can revoke."}
      </p>
    </Panel>
  );
}

function Pairing({ requestId, why }: { requestId: string | undefined; why: string }) {
  const app = useApp();
  return (
    <Panel title="Waiting for approval">
      <p>{why} The gateway's owner has to approve it once.</p>
      <p>On the machine that runs the gateway:</p>
      <Command text={`openclaw devices approve ${requestId ?? "<request>"}`} />
      <p>
        Or open <strong>Devices</strong> on a page that is already signed in
        {requestId === undefined ? "." : (
          <>
            , and look for <code>{requestId}</code>.
          </>
        )}
      </p>
      <p class="hint" role="status">
        <span class="pulse" aria-hidden="true" /> This page goes on by itself once that is done.
      </p>
      <div class="actions">
        <button type="button" class="link" onClick={() => app.signOut()}>Sign out</button>
        <button type="button" onClick={() => app.link.retry()}>Check now</button>
      </div>
    </Panel>
  );
}

function Refused({ title, why }: { title: string; why: string }) {
  const app = useApp();
  return (
    <Panel title={title}>
      <p role="alert">{why}</p>
      <div class="actions">
        <button type="button" class="link" onClick={() => app.link.signOut()}>
          Use another token
        </button>
        <button type="button" class="primary" onClick={() => app.link.retry()}>Try again</button>
      </div>
    </Panel>
  );
}

function Unreachable({ why, retryAt }: { why: string; retryAt: number }) {
  const app = useApp();
  return (
    <Panel title="No connection">
      <p role="status">
        {why} <Countdown to={retryAt} />
      </p>
      <div class="actions">
        <button type="button" class="primary" onClick={() => app.link.retry()}>Try now</button>
      </div>
    </Panel>
  );
}

/** One line above a page that has been connected before. */
export function LinkBanner({ link }: { link: LinkState }) {
  const app = useApp();
  if (link.is !== "waiting" && link.is !== "connecting") return null;
  return (
    <div class="banner" role="status">
      <span class="pulse" aria-hidden="true" />
      {link.is === "connecting" ? <p>Reconnecting…</p> : (
        <>
          <p>
            {link.why} <Countdown to={link.retryAt} />
          </p>
          <button type="button" class="link" onClick={() => app.link.retry()}>Try now</button>
        </>
      )}
    </div>
  );
}

function Countdown({ to }: { to: number }) {
  const seconds = Math.ceil((to - useNow(500)) / 1000);
  return <span aria-hidden="true">{seconds > 1 ? `Next attempt in ${seconds} s.` : "Trying…"}
  </span>;
}

/** A command to type elsewhere. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <code>{text}</code>
      <CopyButton text={text} what="command" />
    </div>
  );
}

/** What to say about answers that come from no real model. */
export function DemoNote() {
  const [isOpen, setOpen] = useState(false);
  return (
    <aside class="demo" aria-label="About the demo model">
      <Icon name="warning" />
      <div>
        <p>
          The built-in demo answers here, not a real model.{" "}
          <button
            type="button"
            class="link"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? "Less" : "Set up a real one"}
          </button>
        </p>
        {isOpen && (
          <ul>
            <li>
              Start the gateway with <code>ANTHROPIC_API_KEY</code> or <code>OPENAI_API_KEY</code>
              {" "}
              in its environment, or
            </li>
            <li>run a model on this machine with Ollama; the gateway finds it, or</li>
            <li>
              choose one yourself:{" "}
              <code>openclaw config set agents.defaults.model.primary provider/model</code>
            </li>
          </ul>
        )}
      </div>
    </aside>
  );
}
