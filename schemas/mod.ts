/** The wire: every request and event of the protocol, collected from the files beside this one. */
import * as agent from "./agent.ts";
import * as approvals from "./approvals.ts";
import * as channels from "./channels.ts";
import * as chat from "./chat.ts";
import * as config from "./config.ts";
import * as connect from "./connect.ts";
import * as cron from "./cron.ts";
import * as devices from "./devices.ts";
import * as messaging from "./messaging.ts";
import * as models from "./models.ts";
import * as nodes from "./nodes.ts";
import * as pairing from "./pairing.ts";
import * as sessions from "./sessions.ts";
import * as setup from "./setup.ts";
import * as system from "./system.ts";
import * as tools from "./tools.ts";
import type {
  EventsOf,
  EventSpec,
  HandlersFor,
  MethodsOf,
  MethodSpec,
  Protocol,
  Visibility,
  Wire,
} from "./contract.ts";

const declared: readonly unknown[] = [
  connect,
  system,
  agent,
  chat,
  sessions,
  models,
  tools,
  config,
  channels,
  pairing,
  messaging,
  nodes,
  devices,
  setup,
  cron,
  approvals,
].flatMap((module) => Object.values(module));

type Declared =
  & typeof connect
  & typeof system
  & typeof agent
  & typeof chat
  & typeof sessions
  & typeof models
  & typeof tools
  & typeof config
  & typeof channels
  & typeof pairing
  & typeof messaging
  & typeof nodes
  & typeof devices
  & typeof setup
  & typeof cron
  & typeof approvals;

/** Every request, by its wire name. Has no prototype: only real names are found. */
export const methods: Readonly<MethodsOf<Declared>> = byName("method");

/** Every event, by its wire name. Has no prototype: only real names are found. */
export const events: Readonly<EventsOf<Declared>> = byName("event");

export type MethodName = keyof typeof methods;
export type EventName = keyof typeof events;

/** What a client sends with a request. */
export type ParamsOf<M extends MethodName> = Wire<(typeof methods)[M]["params"]>;

/** What the gateway answers to a request. */
export type ResultOf<M extends MethodName> = Wire<(typeof methods)[M]["result"]>;

/** What comes with each event. */
export type EventPayloads = {
  readonly [E in EventName]: Wire<(typeof events)[E]["payload"]>;
};

/** A function for every request. */
export type Handlers<Call> = HandlersFor<Declared, Call>;

/** Whether a text that came over the wire names a request. */
export function isMethodName(name: string): name is MethodName {
  return name in methods;
}

/** The requests that `hello-ok` names on a wire version. */
export function advertisedMethods(protocol: Protocol): readonly MethodName[] {
  return Object.values(methods).filter(advertisedOn(protocol)).map(({ name }) => name);
}

/** The events that `hello-ok` names on a wire version. */
export function advertisedEvents(protocol: Protocol): readonly EventName[] {
  return Object.values(events).filter(advertisedOn(protocol)).map(({ name }) => name);
}

function advertisedOn(protocol: Protocol): (spec: Visibility) => boolean {
  return ({ since, until, advertised }) => advertised && since <= protocol && protocol <= until;
}

/** The one place that trusts the types of `Declared`: both are made from the same imports. */
function byName<Specs>(kind: (MethodSpec | EventSpec)["kind"]): Specs {
  const found = Object.create(null);
  for (const value of declared) {
    if (isSpec(value) && value.kind === kind) found[value.name] = value;
  }
  return Object.freeze(found);
}

function isSpec(value: unknown): value is MethodSpec | EventSpec {
  return typeof value === "object" && value !== null && "kind" in value && "name" in value &&
    (value.kind === "method" || value.kind === "event");
}
