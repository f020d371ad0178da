import { requireNode } from '../runtime/require-node.ts';

requireNode();
const { runServerManager } = await import('./run.ts');
const { parseMainArguments } = await import('../runtime/arguments.ts');
await runServerManager(parseMainArguments());
