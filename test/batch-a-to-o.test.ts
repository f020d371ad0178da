import { loadBatch } from './support/batch.ts';

await loadBatch('a-to-o');
