// Every unit test in one process: alone, each of these files would take longer to start than to run. Files start in the order of their
// names, and this one takes longest: it must not be the last.
import { globSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'unit');

for (const file of globSync('**/*.test.ts', { cwd: FOLDER }).sort()) await import(join(FOLDER, file));
