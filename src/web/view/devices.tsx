/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** The devices that may connect, those that ask to, and what nodes lend. */
import type { ComponentChildren } from "preact";
import type { DevicePairRequest, PairedDevice } from "../../../schemas/devices.ts";
import type { NodePairRequest, PairedNode } from "../../../schemas/nodes.ts";
import { deviceName, reasonOf, roleInWords, scopeInWords } from "../devices.ts";
import { useApp, useCell, useNow } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { ago } from "./time.ts";

/** How long an unanswered request lives, in milliseconds. */
const REQUEST_TTL_MS = 5 * 60_000;

export function DevicesView({ ownId }: { ownId: string }) {
  const app = useApp();
  const { phase, problem, pending, paired, wishes, nodes } = useCell(app.devices.state);
  const now = useNow(30_000);
  if (phase === "closed") {
    return (
      <div class="devices">
        <p class="hint">
          This browser may not see devices. Open the page as somebody who may approve them.
        </p>
      </div>
    );
  }
  return (
    <div class="devices">
      {phase === "failed" && (
        <div class="failure" role="alert">
          <Icon name="warning" />
          <p>The devices can't be loaded: {problem}</p>
          <button type="button" onClick={() => app.devices.read()}>Try again</button>
        </div>
      )}
      <section aria-labelledby="pending-title">
        <h2 id="pending-title">Waiting for approval</h2>
        {pending.length + wishes.length === 0 && (
          <p class="hint">
            {phase === "loading"
              ? "Loading…"
              : "Nobody is asking. A new browser or app shows up here when it connects."}
          </p>
        )}
        <ul class="cards" aria-live="polite">
          {pending.map((request) => (
            <Request key={request.requestId} request={request} paired={paired} now={now} />
          ))}
          {wishes.map((wish) => (
            <Wish
              key={wish.requestId}
              wish={wish}
              lent={nodes.find(({ nodeId }) => nodeId === wish.nodeId)}
              now={now}
            />
          ))}
        </ul>
      </section>
      <section aria-labelledby="paired-title">
        <h2 id="paired-title">Approved</h2>
        {phase === "ready" && paired.length === 0 && <p class="hint">No device is approved yet.</p>}
        <ul class="cards">
          {paired.map((device) => (
            <Paired
              key={device.deviceId}
              device={device}
              lent={nodes.find(({ nodeId }) => nodeId === device.deviceId)}
              isOwn={device.deviceId === ownId}
              now={now}
            />
          ))}
        </ul>
      </section>
    </div>
  );
}

function Request(
  { request, paired, now }: {
    request: DevicePairRequest;
    paired: readonly PairedDevice[];
    now: number;
  },
) {
  const app = useApp();
  const name = deviceName(request);
  const { title, text, scopes, roles } = reasonOf(request, paired);
  const minutes = Math.max(1, Math.ceil((request.ts + REQUEST_TTL_MS - now) / 60_000));
  return (
    <li class="card pending">
      <h3>
        {name}
        <span class="tag">{title}</span>
      </h3>
      <Facts
        facts={[
          request.remoteIp && `from ${request.remoteIp}`,
          request.platform,
          `asked ${ago(request.ts, now)}, for ${minutes} min more`,
        ]}
      />
      <p>{text}</p>
      {scopes.length + roles.length > 0 && <p>If you approve, it may:</p>}
      <Rights scopes={scopes} roles={roles} />
      <Ids request={request.requestId} device={request.deviceId} />
      <Decision
        onReject={() => app.attempt("Rejecting", () => app.devices.reject(request.requestId))}
        onApprove={() =>
          app.attempt("Approving", async () => {
            await app.devices.approve(request.requestId);
            app.say(`${name} may connect now.`);
          })}
      />
    </li>
  );
}

/** What a node would like to lend. */
function Wish(
  { wish, lent, now }: { wish: NodePairRequest; lent: PairedNode | undefined; now: number },
) {
  const app = useApp();
  const name = deviceName(wish);
  const has = lent?.commands ?? [];
  const { commands = [], caps = [], requiredApproveScopes = [] } = wish;
  const isGrave = requiredApproveScopes.includes("operator.admin");
  return (
    <li class="card pending">
      <h3>
        {name}
        <span class="tag">{lent === undefined ? "New node" : "Node wants more"}</span>
      </h3>
      <Facts
        facts={[
          wish.remoteIp && `from ${wish.remoteIp}`,
          wish.platform,
          `asked ${ago(wish.ts, now)}`,
        ]}
      />
      <p>
        {commands.length === 0
          ? "It may connect, and offers no commands."
          : "It may connect. If you approve, the agent can use on it:"}
      </p>
      <ul class="lent">
        {commands.map((command) => (
          <li key={command} data-known={has.includes(command)}>
            <code>{command}</code>
          </li>
        ))}
      </ul>
      {isGrave && (
        <p class="grave-note">
          <Icon name="warning" />{" "}
          With these the agent can run programs or read files there, as the person who started the
          node.
        </p>
      )}
      {caps.length > 0 && <p class="small">Abilities: {caps.join(", ")}</p>}
      <Ids request={wish.requestId} device={wish.nodeId} />
      <Decision
        onReject={() => app.attempt("Rejecting", () => app.devices.deny(wish.requestId))}
        onApprove={() =>
          app.attempt("Approving", async () => {
            await app.devices.grant(wish.requestId);
            app.say(`The agent may use ${name} now.`);
          })}
      />
    </li>
  );
}

function Decision({ onReject, onApprove }: { onReject: () => void; onApprove: () => void }) {
  return (
    <div class="actions">
      <button type="button" onClick={onReject}>Reject</button>
      <button type="button" class="primary" onClick={onApprove}>Approve</button>
    </div>
  );
}

function Paired(
  { device, lent, isOwn, now }: {
    device: PairedDevice;
    lent: PairedNode | undefined;
    isOwn: boolean;
    now: number;
  },
) {
  const app = useApp();
  const name = deviceName(device);
  const { deviceId, connected, lastSeenAtMs, approvedAtMs, remoteIp, approvedVia, tokens = [] } =
    device;
  const live = tokens.filter(({ revokedAtMs }) => revokedAtMs === undefined);
  const isRevoked = live.length === 0;

  async function revoke(): Promise<void> {
    const answer = await app.ask({
      title: `Revoke ${name}?`,
      text: isOwn
        ? "This is the browser you are using. It is disconnected and has to be approved again."
        : "It is disconnected at once, and stays in the list. To come back it has to be approved.",
      action: "Revoke",
      isGrave: true,
    });
    if (answer !== undefined) await app.attempt("Revoking", () => app.devices.revoke(device));
  }

  async function remove(): Promise<void> {
    const answer = await app.ask({
      title: `Remove ${name}?`,
      text: isOwn
        ? "This is the browser you are using. It is disconnected and forgotten."
        : "It is disconnected at once and forgotten. If it comes back, it does so as a new device.",
      action: "Remove",
      isGrave: true,
    });
    if (answer !== undefined) await app.attempt("Removing", () => app.devices.remove(deviceId));
  }

  async function rename(): Promise<void> {
    const label = await app.ask({
      title: "Name this device",
      action: "Save",
      field: { label: "Name", value: name, maxLength: 64 },
    });
    if (label) await app.attempt("Renaming", () => app.devices.rename(deviceId, label));
  }

  return (
    <li class="card">
      <h3>
        {name}
        {isOwn && <span class="tag">This browser</span>}
        {connected && <span class="tag live">Connected</span>}
        {isRevoked && <span class="tag">Revoked</span>}
      </h3>
      <Facts
        facts={[
          !connected && lastSeenAtMs !== undefined && `last seen ${ago(lastSeenAtMs, now)}`,
          `approved ${ago(approvedAtMs, now)}${APPROVED_VIA[approvedVia ?? ""] ?? ""}`,
          remoteIp && `from ${remoteIp}`,
        ]}
      />
      <details>
        <summary>
          <Icon name="chevron" /> What it may do
        </summary>
        {isRevoked ? <p class="hint">Nothing: it was revoked.</p> : (
          <Rights
            scopes={device.scopes ?? []}
            roles={live.map(({ role }) => role)}
          />
        )}
        {lent?.commands !== undefined && lent.commands.length > 0 && (
          <>
            <p>The agent can use on it:</p>
            <ul class="lent">
              {lent.commands.map((command) => (
                <li key={command}>
                  <code>{command}</code>
                </li>
              ))}
            </ul>
          </>
        )}
        <Ids device={deviceId} />
      </details>
      <div class="actions">
        <button type="button" onClick={rename}>Rename</button>
        {!isRevoked && <button type="button" class="grave" onClick={revoke}>Revoke</button>}
        <button type="button" class="grave" onClick={remove}>Remove</button>
      </div>
    </li>
  );
}

const APPROVED_VIA: Readonly<Record<string, string>> = {
  silent: " (on this machine)",
  bootstrap: " (by a setup code)",
};

function Facts({ facts }: { facts: readonly (string | false | undefined)[] }) {
  return <p class="facts">{facts.filter(Boolean).join(" · ")}</p>;
}

/** What the command line calls them. */
function Ids({ request, device }: { request?: string; device: string }): ComponentChildren {
  return (
    <p class="small">
      {request !== undefined && (
        <>
          Request <code>{request}</code> ·{" "}
        </>
      )}
      Device <code>{device.slice(0, 16)}…</code>
    </p>
  );
}

function Rights({ scopes, roles }: { scopes: readonly string[]; roles: readonly string[] }) {
  return (
    <ul class="rights">
      {scopes.map((scope) => <li key={scope}>{scopeInWords(scope)}</li>)}
      {roles.map((role) => <li key={role}>{roleInWords(role)}</li>)}
    </ul>
  );
}
