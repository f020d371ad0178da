/** The ends of ids: the process, and what tells it from others that had its number. */
const PROCESS = /-\d+-[0-9a-f]+$/;

/** Names one load balancer, also when a process has several. @param place - the same for whoever takes its place. */
export function proxyIdOf(place: string, pid: number, token: string): string {
  return `${place}-${pid}-${token}`;
}

/** What of an id is the same for who was there before, and who comes after. */
export function placeOf(proxyId: string): string {
  return proxyId.replace(PROCESS, '');
}
