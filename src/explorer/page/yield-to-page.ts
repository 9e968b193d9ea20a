/// <reference lib="dom" />

const { port1, port2 } = new MessageChannel();
/** One for each message on its way. */
const waiting: (() => void)[] = [];
port1.addEventListener('message', () => waiting.shift()?.());
port1.start();

/**
 * Resolves in a later task, after the page could paint. Unlike timers and frames, messages are not slowed in a tab in
 * the background.
 */
export function yieldToPage(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(undefined);
  });
}
