import { loadBatch } from './support/batch.ts';

await loadBatch('proxy-h-to-z');
