import { FIRST_RELEASE } from '../../internal/model/release.ts';
import type { InstanceDraft } from '../../internal/registry/registry.ts';

/** An instance of the service `web` that runs what is configured. */
export const DRAFT: InstanceDraft = { ...FIRST_RELEASE, service: 'web', host: '127.0.0.1', node: null, weight: 1 };
