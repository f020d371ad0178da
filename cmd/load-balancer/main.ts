import { requireNode } from '../runtime/require-node.ts';

requireNode();
const { runLoadBalancer } = await import('./run.ts');
const { parseMainArguments } = await import('../runtime/arguments.ts');
await runLoadBalancer(parseMainArguments().config);
