import { hashOf, HOME } from '../route.ts';

/** The name of a service that leads to its page. */
export function ServiceLink({ name }: { readonly name: string }) {
  return <a href={hashOf({ ...HOME, view: 'service', service: name })}>{name}</a>;
}
