const OLDEST = 24;

/** Refuses a Node that is too old in one clear line; must run before anything is imported that such a Node cannot load. */
export function requireNode(): void {
  if (Number(process.versions.node.split('.', 1)[0]) >= OLDEST) return;
  const advice = 'install a newer Node, or run "npm install node@26" in this folder, and try again';
  process.stderr.write(`heimdall needs Node ${OLDEST} or newer, this is ${process.version}: ${advice}.\n`);
  process.exit(1);
}
