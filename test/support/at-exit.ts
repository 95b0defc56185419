// Clean-up that must happen even when the test process ends before the test could do it. Synchronous by nature.

const pending: (() => void)[] = [];
let listening = false;

/**
 * Runs `cleanUp` when the process exits, the latest registered first; an error in one does not stop the others.
 * Returns a function that takes it off the list again.
 */
export function atExit(cleanUp: () => void): () => void {
  listen();
  pending.push(cleanUp);
  return () => {
    const index = pending.indexOf(cleanUp);
    if (index >= 0) pending.splice(index, 1);
  };
}

function listen(): void {
  if (listening) return;
  listening = true;
  process.on("exit", () => {
    for (const cleanUp of pending.splice(0).reverse()) attempt(cleanUp);
  });
}

function attempt(cleanUp: () => void): void {
  try {
    cleanUp();
  } catch (error) {
    process.stderr.write(`clean-up at exit failed: ${String(error)}\n`);
  }
}
