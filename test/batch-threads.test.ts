import { loadBatch } from './support/batch.ts';

await loadBatch('threads');
