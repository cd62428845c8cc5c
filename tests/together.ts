/** Tests that wait more than they work. */

/** Runs the tests at the same time. Nothing may leak from them together. */
export function together(
  name: string,
  tests: Readonly<Record<string, () => Promise<void>>>,
): void {
  Deno.test(name, async (t) => {
    // Only of what runs alone can be said what is its own.
    const unwatched = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(
      Object.entries(tests).map(([name, fn]) => t.step({ name, fn, ...unwatched })),
    );
  });
}
