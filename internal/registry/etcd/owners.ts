/** How the owners of alerts begin that are managers; the rest is the node and the token of one. */
export const MANAGER_PREFIX = 'manager:';

export function managerOwner(node: string, token: string): string {
  return `${MANAGER_PREFIX}${node}:${token}`;
}

/** Node names have no colon. */
export function nodeAndTokenOf(owner: string): { readonly node: string; readonly token: string } {
  const [node = '', token = ''] = owner.slice(MANAGER_PREFIX.length).split(':');
  return { node, token };
}
