import { loadBatch } from './support/batch.ts';

await loadBatch('proxy-a-to-g');
