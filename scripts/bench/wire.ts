/** The protocol with as little of it as a load generator can do with, so that it is not measured. */

/** How every answer begins, on the wire of every gateway measured. */
const ANSWER = `{"type":"res"`;
const CHALLENGE = `{"type":"event","event":"connect.challenge"`;
/** How the event begins that tells who is connected. */
export const PRESENCE_EVENT = `{"type":"event","event":"presence"`;
/** What makes the echo send an event of so many bytes to all. */
export const BROADCAST = "broadcast ";
/** What makes the echo answer this connection with so many bytes, whatever it gets. */
export const ANSWERS = "answers ";
/** How such an answer begins. */
export const ECHOED = `{"type":"req"`;

/** Where to connect, and as what. */
export interface Address {
  readonly url: string;
  /** Without a token the other side is an echo. */
  readonly token?: string;
}

/** One connection, past its handshake. */
export class Connection {
  /** Hears every text that comes. */
  onText: (text: string) => void = () => {};
  readonly #socket: WebSocket;
  #requests = 0;

  /** Rejects when the other side is not there or says no. */
  static async open({ url, token }: Address): Promise<Connection> {
    const socket = new WebSocket(url);
    const connection = new Connection(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onclose = ({ code, reason }) => reject(new Error(`Closed: ${code} ${reason}`));
    socket.onerror = () => {}; // `onclose` follows
    socket.onmessage = ({ data }) => connection.onText(data);
    if (token === undefined) {
      socket.onopen = () => resolve();
    } else {
      connection.onText = (text) => {
        if (text.startsWith(CHALLENGE)) connection.send("connect", hello(token));
        else if (text.startsWith(ANSWER) && text.includes(`"ok":true`)) resolve();
        else reject(new Error(text));
      };
    }
    await promise;
    connection.onText = () => {};
    return connection;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Returns the id of the request. */
  send(method: string, params: unknown): string {
    const id = String(++this.#requests);
    this.#socket.send(JSON.stringify({ type: "req", id, method, params }));
    return id;
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** Sends a request and resolves to the next answer. */
  async ask(method: string, params: unknown): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.onText = (text) => isAnswer(text) && resolve(text);
    this.send(method, params);
    const answer = await promise;
    this.onText = () => {};
    return answer;
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.onclose = () => resolve();
    this.#socket.close();
    await promise;
  }
}

/** Whether a text answers a request; an echo's answer is the request itself, or looks like one. */
export function isAnswer(text: string): boolean {
  return text.startsWith(ANSWER) || text.startsWith(ECHOED);
}

function hello(token: string) {
  return {
    minProtocol: 3, // the gateways of both protocols take it
    maxProtocol: 4,
    client: { id: "cli", mode: "cli", version: "1", platform: "linux" },
    role: "operator",
    scopes: ["operator.admin"],
    auth: { token },
  };
}
