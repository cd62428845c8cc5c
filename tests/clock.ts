/** A clock that a test moves by hand. */
import FakeTimers, { type Clock, type FakeMethod } from "@sinonjs/fake-timers";

/**
 * Stops what is named until it is disposed of: it moves when the test says so, as by `tick`, and
 * `setSystemTime` sets the date as a person would. It begins at this moment.
 */
export function stopClock(...what: readonly FakeMethod[]): Clock & Disposable {
  const clock = FakeTimers.install({
    now: Date.now(),
    toFake: [...what],
    shouldClearNativeTimers: true, // those that the runtime began before
  });
  return Object.assign(clock, { [Symbol.dispose]: () => clock.uninstall() });
}
