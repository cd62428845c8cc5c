/** Stories of the page, in a real browser, against a real gateway. */
import { deepStrictEqual, ok } from "node:assert/strict";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { DEMO, startGateway, type TestClient, type TestGateway, TOKEN } from "../gateway.ts";

/** The one without windows opens a page in half the time. */
const CHROMIUM = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1100, height: 760 } };
export const PHONE: BrowserContextOptions = {
  viewport: { width: 320, height: 640 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

export type Story = (house: House) => Promise<void>;

/** Tells the stories one after the other, in one house; they are not told where there is no browser. */
export function tell(name: string, stories: Readonly<Record<string, Story>>): void {
  const program = CHROMIUM.find(exists);
  Deno.test({
    name: program === undefined ? `${name} (Chromium is not installed)` : name,
    ignore: program === undefined,
    async fn(t) {
      await using house = await House.open(program);
      for (const [name, story] of Object.entries(stories)) {
        // What a story opens is closed with the house; the test as a whole leaks nothing.
        const fn = () => story(house);
        await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
      }
    },
  });
}

/** A story that begins on the page, signed in. */
export function signedIn(
  story: (page: Page, house: House) => Promise<void>,
  options = DESKTOP,
): Story {
  return async (house) => {
    await using visit = await house.signIn(options);
    await story(visit.page, house);
  };
}

/** A story that begins where nothing was said yet. */
export function inNewConversation(story: (page: Page, house: House) => Promise<void>): Story {
  return signedIn(async (page, house) => {
    await newConversation(page);
    await story(page, house);
  });
}

export async function connected(page: Page): Promise<void> {
  await page.locator("#message, .devices").first().waitFor();
  await page.locator(".status[data-state=connected]").waitFor({ state: "attached" });
}

export async function newConversation(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByText("What is on your mind?").waitFor();
}

export async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".user .bubble", { hasText: text }).last().waitFor();
}

/** The newest message is an answer, and it is complete. */
export async function answered(page: Page): Promise<void> {
  await page.locator(".messages > .answer:last-child footer .model").waitFor();
}

export function keyOf(page: Page): string {
  return new URL(page.url()).searchParams.get("session") ?? "main";
}

/** Nothing sticks out sideways, neither of the page nor of its scrolling parts. */
export async function fits(page: Page): Promise<void> {
  const overhang = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll(".conversation, .devices, .sessions")]
      .map((part) => part.scrollWidth - part.clientWidth)
  );
  deepStrictEqual(overhang.filter((pixels) => pixels > 0), []);
}

/** Waits until a part is seen, and sees that it is where it belongs. */
export async function liesWithin(whole: Locator, part: Locator): Promise<void> {
  await part.waitFor();
  const [outer, inner] = [await whole.boundingBox(), await part.boundingBox()];
  ok(outer !== null && inner !== null);
  ok(inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height, "it is elsewhere");
  ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width, "it sticks out");
}

/** A gateway, a browser, and somebody at the command line. */
export class House implements AsyncDisposable {
  readonly #browser: Browser;
  #gateway: TestGateway;
  /** A connection that ends with the gateway: another one after `restart`. */
  operator: TestClient;

  /** With the browser at `executablePath`. */
  static async open(executablePath: string | undefined): Promise<House> {
    const stateDir = await Deno.makeTempDir({ prefix: "openclaw-web-" });
    const gateway = await startGateway({ stateDir, config: DEMO });
    const browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    });
    return new House(browser, gateway, await gateway.connect());
  }

  private constructor(browser: Browser, gateway: TestGateway, operator: TestClient) {
    this.#browser = browser;
    this.#gateway = gateway;
    this.operator = operator;
  }

  get ws(): string {
    return this.#gateway.url;
  }

  url(path: string): string {
    return this.#gateway.http + path;
  }

  /** A browser of its own, at an address. Disposing of it fails if the page complained. */
  async visit(
    options: BrowserContextOptions,
    path: string,
    { expectNetworkErrors = false } = {},
  ): Promise<Visit> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      if (expectNetworkErrors && /WebSocket connection|ERR_/.test(message.text())) return;
      complaints.push(message.text());
    });
    await page.goto(this.url(path));
    return {
      page,
      async [Symbol.asyncDispose]() {
        await context.close();
        deepStrictEqual(complaints, []);
      },
    };
  }

  async signIn(
    options: BrowserContextOptions,
    expected?: { expectNetworkErrors: boolean },
  ): Promise<Visit> {
    const visit = await this.visit(options, `/#token=${TOKEN}`, expected);
    await connected(visit.page);
    return visit;
  }

  /** Stops the gateway and starts it again; in between it is elsewhere, where the page can't hear. */
  async restart(meanwhile: (operator: TestClient) => Promise<void>): Promise<void> {
    const { stateDir, running } = this.#gateway;
    const { port } = running.server.addr;
    await this.operator[Symbol.asyncDispose]();
    await this.#gateway[Symbol.asyncDispose]();
    {
      await using elsewhere = await startGateway({ stateDir });
      await using operator = await elsewhere.connect();
      await meanwhile(operator);
    }
    this.#gateway = await startGateway({ stateDir, flags: { port } });
    this.operator = await this.#gateway.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator[Symbol.asyncDispose]();
    await this.#browser.close();
    await this.#gateway[Symbol.asyncDispose]();
    await Deno.remove(this.#gateway.stateDir, { recursive: true });
  }
}

interface Visit extends AsyncDisposable {
  readonly page: Page;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
