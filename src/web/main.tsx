/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Starts the page. */
import { render } from "preact";
import { addressOf, App, placeOf } from "./app.ts";
import { browserName } from "./browser.ts";
import { framePace } from "./cell.ts";
import { Credentials, splitAddress } from "./credentials.ts";
import { loadIdentity } from "./identity.ts";
import { openKeep } from "./keep.ts";
import { AppContext } from "./view/hooks.ts";
import { Page } from "./view/page.tsx";
import { loadTheme, showTheme } from "./view/theme.ts";

const keep = openKeep();
showTheme(loadTheme(keep), keep);

const credentials = new Credentials(keep);
takeToken();

const identity = loadIdentity(keep);
const app = new App({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`,
  client: {
    id: "webchat-ui",
    mode: "webchat",
    version: document.querySelector<HTMLMetaElement>("meta[name=version]")?.content || "0.0.0",
    displayName: browserName(navigator.userAgent),
    platform: "web", // signed and pinned: it must not change with the browser's version
  },
  identity,
  credentials,
}, {
  place: placeOf(new URL(location.href)),
  goTo(place) {
    const address = addressOf(place);
    if (address !== location.pathname + location.search) history.pushState(null, "", address);
  },
  pace: framePace(),
  keep,
});

addEventListener("popstate", () => app.arrive(placeOf(new URL(location.href))));
addEventListener("hashchange", () => {
  if (takeToken()) app.link.retry();
});
addEventListener("online", hurry);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) hurry();
});

// By itself the browser would leave the page for a file that is dropped beside the message.
for (const name of ["dragover", "drop"] as const) {
  addEventListener(name, (event) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
    event.dataTransfer.dropEffect = "none";
    event.preventDefault();
  });
}

const root = document.getElementById("app");
if (root === null) throw new Error("The document has no place for the page");
render(
  <AppContext.Provider value={app}>
    <Page keep={keep} identity={identity} />
  </AppContext.Provider>,
  root,
);
void app.link.run(new AbortController().signal); // as long as the page is open

/** The network or the person is back: a wait for the next attempt is over. */
function hurry(): void {
  if (app.link.state.value.is === "waiting") app.link.retry();
}

/** Takes a token out of the address, before anything else can see it there. */
function takeToken(): boolean {
  const { token, clean } = splitAddress(new URL(location.href));
  if (token === undefined) return false;
  history.replaceState(null, "", clean);
  credentials.use({ kind: "token", secret: token });
  return true;
}
