import { z } from 'zod';
import { NodeNoteSchema, type NodeRecord } from './node.ts';
import type { Told } from './told.ts';

/** A host with a manager, as the API shows it. */
export const NodeViewSchema = z
  .object({
    name: z.string(),
    self: z.boolean().describe('Whether its manager is the one that answers.'),
    ...NodeNoteSchema.shape,
    url: NodeNoteSchema.shape.url.describe('Where the managers of other nodes reach its manager; null: nowhere.'),
    address: NodeNoteSchema.shape.address.describe('Where its instances are reached.'),
    services: NodeNoteSchema.shape.services.describe('Those that it can start instances of.'),
    instances: NodeNoteSchema.shape.instances.describe('That it keeps.'),
    load: NodeNoteSchema.shape.load.describe('How busy its cores were in the last minute: 1 is all of them.'),
    pid: z.int().describe('Of its manager.'),
    startedAt: z.string().describe('ISO 8601; of its manager.'),
    alive: z.boolean().describe('Whether its manager gives signs of life.'),
    awaySince: z.string().nullable().describe('When it gave the last one, in ISO 8601; null while it gives any.'),
  })
  .meta({ id: 'Node' });
export type NodeView = Told<z.infer<typeof NodeViewSchema>>;

/** What `DELETE /nodes/{name}` answers. */
export const ForgottenNodeSchema = z
  .object({
    name: z.string(),
    instances: z.array(z.string()).describe('Ids of those that it kept, which are taken away with it.'),
  })
  .meta({ id: 'ForgottenNode' });
export type ForgottenNode = Told<z.infer<typeof ForgottenNodeSchema>>;

/** @param self - the name of the node whose manager answers. */
export function nodeViewOf({ name, seenAt, startedAt, ...node }: NodeRecord, self: string | null): NodeView {
  return {
    name,
    self: name === self,
    ...node,
    startedAt: new Date(startedAt).toISOString(),
    awaySince: node.alive ? null : new Date(seenAt).toISOString(),
  };
}
