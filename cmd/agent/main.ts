import { requireNode } from '../runtime/require-node.ts';

requireNode();
const [program = '', script = '', ...words] = process.argv;
const { runCommand } = await import('../heimdall/cli.ts');
await runCommand([program, script, 'agent', ...words]);
