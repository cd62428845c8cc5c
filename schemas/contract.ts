/**
 * How a request and an event are declared. A declaration is one value; the validator, the types of
 * handlers and clients, the advertised features, JSON Schema and Swift all come from it.
 */
import type { Static, TObject, TProperties, TSchema, TUnsafe } from "@sinclair/typebox";
import * as Type from "./type.ts";

/** What a connection is: somebody who steers the gateway, or a device that it steers. */
export type Role = "operator" | "node";

/** What an operator was allowed to do. `admin` covers all; `write` covers `read` and `talk`. */
export type Scope =
  | "operator.admin"
  | "operator.read"
  | "operator.write"
  | "operator.approvals"
  | "operator.pairing"
  | "operator.questions"
  | "operator.talk"
  | "operator.talk.secrets";

/** Every scope, in the order in which they are offered to people. */
export const SCOPES: readonly Scope[] = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
  "operator.questions",
  "operator.talk",
  "operator.talk.secrets",
];

/** The wire versions that this program speaks. */
export type Protocol = 3 | 4;

/** Who may call a method: `node` role, any operator, or an operator with a scope. */
export type Access = "node" | "anyone" | Scope;

/** Which wire versions have something, and whether `hello-ok` names it. */
export interface Visibility {
  /** The first wire version that has it. */
  readonly since: Protocol;
  /** The last wire version that has it. */
  readonly until: Protocol;
  /** `false` for what the released gateways answer without naming it in `hello-ok`. */
  readonly advertised: boolean;
}

/** One request that a client can make. */
export interface MethodSpec<
  N extends string = string,
  P extends TSchema = TSchema,
  R extends TSchema = TSchema,
> extends Visibility {
  readonly kind: "method";
  readonly name: N;
  /** Who may call it on version 3, and on version 4. */
  readonly access: Readonly<Record<Protocol, Access>>;
  /** Every call of it is written down for the owner. One that is refused always is. */
  readonly audited: boolean;
  readonly params: P;
  readonly result: R;
}

/** One thing that the gateway tells its clients unasked. */
export interface EventSpec<N extends string = string, P extends TSchema = TSchema>
  extends Visibility {
  readonly kind: "event";
  readonly name: N;
  /** Who hears it on version 3, and on version 4. */
  readonly access: Readonly<Record<Protocol, Access>>;
  /** Skipped, not fatal, for a client whose outbound buffer is full. */
  readonly droppable: boolean;
  readonly payload: P;
}

/** Access given once for both versions, or apart where they differ. */
type AccessRule = Access | Readonly<Record<Protocol, Access>>;

/** What a schema describes, as data that nobody changes. */
export type Wire<S extends TSchema> = Unchanging<Static<S>>;

type Unchanging<T> = T extends readonly unknown[] | object
  ? { readonly [K in keyof T]: Unchanging<T[K]> }
  : T;

/** What is done with these rights changes who may do what, or is done in the owner's name. */
const AUDITED: ReadonlySet<Access> = new Set<Access>([
  "operator.admin",
  "operator.pairing",
  "operator.approvals",
  "operator.talk.secrets",
]);

/** Declares a request. Whether it is audited follows from its access, if it isn't said. */
export function method<const N extends string, P extends TSchema, R extends TSchema>(
  name: N,
  { access, audited, params, result, ...visibility }:
    & { access: AccessRule; audited?: boolean; params: P; result: R }
    & Partial<Visibility>,
): MethodSpec<N, P, R> {
  const rule = byProtocol(access);
  return {
    kind: "method",
    name,
    access: rule,
    audited: audited ?? (AUDITED.has(rule[3]) || AUDITED.has(rule[4])),
    params,
    result,
    ...visible(visibility),
  };
}

/** Declares an event. */
export function event<const N extends string, P extends TSchema>(
  name: N,
  { access, payload, droppable = true, ...visibility }:
    & { access: AccessRule; payload: P; droppable?: boolean }
    & Partial<Visibility>,
): EventSpec<N, P> {
  return {
    kind: "event",
    name,
    access: byProtocol(access),
    payload,
    droppable,
    ...visible(visibility),
  };
}

function byProtocol(access: AccessRule): Readonly<Record<Protocol, Access>> {
  return typeof access === "string" ? { 3: access, 4: access } : access;
}

function visible({ since = 3, until = 4, advertised = true }: Partial<Visibility>): Visibility {
  return { since, until, advertised };
}

/** The methods among a module's exports, keyed by their wire names. */
export type MethodsOf<Module> = {
  [K in keyof Module as Module[K] extends MethodSpec<infer N> ? N : never]: Extract<
    Module[K],
    MethodSpec
  >;
};

/** The events among a module's exports, keyed by their wire names. */
export type EventsOf<Module> = {
  [K in keyof Module as Module[K] extends EventSpec<infer N> ? N : never]: Extract<
    Module[K],
    EventSpec
  >;
};

/**
 * The functions that answer a module's methods, keyed by wire name. `Call` is what the server hands
 * to each besides its params.
 */
export type HandlersFor<Module, Call> = {
  readonly [K in keyof Module as Module[K] extends MethodSpec<infer N> ? N : never]:
    Module[K] extends MethodSpec<string, infer P, infer R>
      ? (params: Wire<P>, call: Call) => Wire<R> | Promise<Wire<R>>
      : never;
};

/** An object schema that refuses unknown properties, as every params object of the protocol does. */
export function closed<P extends TProperties>(
  properties: P,
  options: { $id?: string; description?: string } = {},
): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** A string that is one of those given. */
export function oneOf<const V extends readonly string[]>(
  values: V,
  options: { $id?: string } = {},
): TUnsafe<V[number]> {
  return Type.Unsafe<V[number]>(Type.Union(values.map((value) => Type.Literal(value)), options));
}

/**
 * An object with any keys, whose values all are of one kind. Unlike `Type.Record` it checks keys
 * with line breaks too. The values can't be such objects: TypeBox would compile that wrongly.
 */
export function mapOf<S extends TSchema>(values: S): TUnsafe<Record<string, Static<S>>> {
  return Type.Unsafe<Record<string, Static<S>>>(Type.Object({}, { additionalProperties: values }));
}

/** A value, or `null` for none. */
export function nullable<S extends TSchema>(schema: S): TUnsafe<Static<S> | null> {
  return Type.Unsafe<Static<S> | null>(Type.Union([schema, Type.Null()]));
}
