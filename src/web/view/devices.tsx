/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** The devices that may connect, and those that ask to. */
import type { DevicePairRequest, PairedDevice } from "../../../schemas/devices.ts";
import { deviceName, roleInWords, scopeInWords } from "../devices.ts";
import { useApp, useCell, useNow } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { ago } from "./time.ts";

/** How long an unanswered request lives, in milliseconds. */
const REQUEST_TTL_MS = 5 * 60_000;

export function DevicesView({ ownId }: { ownId: string }) {
  const app = useApp();
  const { phase, problem, pending, paired } = useCell(app.devices.state);
  const now = useNow(30_000);
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
        {pending.length === 0 && (
          <p class="hint">
            {phase === "loading"
              ? "Loading…"
              : "Nobody is asking. A new browser or app shows up here when it connects."}
          </p>
        )}
        <ul class="cards">
          {pending.map((request) => (
            <Request
              key={request.requestId}
              request={request}
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
              isOwn={device.deviceId === ownId}
              now={now}
            />
          ))}
        </ul>
      </section>
    </div>
  );
}

function Request({ request, now }: { request: DevicePairRequest; now: number }) {
  const app = useApp();
  const name = deviceName(request);
  const minutes = Math.max(1, Math.ceil((request.ts + REQUEST_TTL_MS - now) / 60_000));
  return (
    <li class="card pending">
      <h3>{name}</h3>
      <Facts
        facts={[
          request.isRepair ? "Already approved; asks for more" : "New",
          request.remoteIp && `from ${request.remoteIp}`,
          `asked ${ago(request.ts, now)}, for ${minutes} min more`,
        ]}
      />
      <Rights title="If you approve, it may:" device={request} />
      <p class="small">
        Request <code>{request.requestId}</code>
      </p>
      <div class="actions">
        <button
          type="button"
          onClick={() => app.attempt("Rejecting", () => app.devices.reject(request.requestId))}
        >
          Reject
        </button>
        <button
          type="button"
          class="primary"
          onClick={() =>
            app.attempt("Approving", async () => {
              await app.devices.approve(request.requestId);
              app.say(`${name} may connect now.`);
            })}
        >
          Approve
        </button>
      </div>
    </li>
  );
}

function Paired({ device, isOwn, now }: { device: PairedDevice; isOwn: boolean; now: number }) {
  const app = useApp();
  const name = deviceName(device);
  const { deviceId, connected, lastSeenAtMs, approvedAtMs, remoteIp, approvedVia } = device;

  async function revoke(): Promise<void> {
    const answer = await app.ask({
      title: `Revoke ${name}?`,
      text: isOwn
        ? "This is the browser you are using. It is disconnected and has to be approved again."
        : "It is disconnected at once and has to be approved again to come back.",
      action: "Revoke",
      isGrave: true,
    });
    if (answer !== undefined) {
      await app.attempt("Revoking", () => app.devices.revoke(deviceId));
    }
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
      </h3>
      <Facts
        facts={[
          !connected && lastSeenAtMs !== undefined && `last seen ${ago(lastSeenAtMs, now)}`,
          `approved ${ago(approvedAtMs, now)}${
            approvedVia === "silent" ? " (on this machine)" : ""
          }`,
          remoteIp && `from ${remoteIp}`,
        ]}
      />
      <details>
        <summary>
          <Icon name="chevron" /> What it may do
        </summary>
        <Rights device={device} />
        <p class="small">
          Device <code>{deviceId.slice(0, 16)}…</code>
        </p>
      </details>
      <div class="actions">
        <button type="button" onClick={rename}>Rename</button>
        <button type="button" class="grave" onClick={revoke}>Revoke</button>
      </div>
    </li>
  );
}

function Facts({ facts }: { facts: readonly (string | false | undefined)[] }) {
  return <p class="facts">{facts.filter(Boolean).join(" · ")}</p>;
}

function Rights({ title, device }: { title?: string; device: DevicePairRequest | PairedDevice }) {
  const roles = device.roles ?? (device.role === undefined ? [] : [device.role]);
  return (
    <>
      {title && <p>{title}</p>}
      <ul class="rights">
        {(device.scopes ?? []).map((scope) => <li key={scope}>{scopeInWords(scope)}</li>)}
        {roles.map((role) => <li key={role}>{roleInWords(role)}</li>)}
      </ul>
    </>
  );
}
