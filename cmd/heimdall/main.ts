#!/usr/bin/env node
import { requireNode } from '../runtime/require-node.ts';

requireNode();
const { runCommand } = await import('./cli.ts');
await runCommand(process.argv);
