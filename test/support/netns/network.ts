import { execFileSync } from 'node:child_process';
import { Host } from './host.ts';

/** The test itself has the first address: it is on the network as the clients are. */
const addressOf = (index: number): string => `10.77.0.${index + 1}`;
const SWITCH = 'switch';

/** Hosts on a switch, which is where packets between them get lost. One network per sandbox, whose end takes it away. */
export class Network<Name extends string> implements Disposable {
  /** Of the test itself. */
  readonly address = addressOf(0);
  readonly hosts: Readonly<Record<Name, Host>>;

  /** @param names - of the hosts, up to ten letters each: interfaces are named for them. */
  constructor(...names: readonly Name[]) {
    const hosts = names.map((name, index) => new Host(name, addressOf(index + 1)));
    ip([`link add ${SWITCH} type bridge`, `address add ${this.address}/24 dev ${SWITCH}`, `link set ${SWITCH} up`]);
    for (const host of hosts) host.connect(SWITCH);
    nft('add table bridge faults', 'add chain bridge faults cut { type filter hook forward priority 0 ; }');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one for each name
    this.hosts = Object.fromEntries(hosts.map((host) => [host.name, host])) as Record<Name, Host>;
  }

  /** From now on every packet between any of the ones and any of the others is lost, in both directions. */
  cut(ones: readonly Host[], others: readonly Host[]): void {
    const [a, b] = [setOf(ones), setOf(others)];
    nft(
      `add rule bridge faults cut ip saddr ${a} ip daddr ${b} drop`,
      `add rule bridge faults cut ip saddr ${b} ip daddr ${a} drop`,
    );
  }

  /** Takes back all cuts. */
  heal(): void {
    nft('flush chain bridge faults cut');
  }

  /** What all processes have written, by host. */
  output(): string {
    return Object.values<Host>(this.hosts)
      .map((host) => `--- ${host.name}\n${host.output()}`)
      .join('\n');
  }

  [Symbol.dispose](): void {
    for (const host of Object.values<Host>(this.hosts)) host.killAll();
  }
}

function setOf(hosts: readonly Host[]): string {
  return `{ ${hosts.map(({ address }) => address).join(', ')} }`;
}

function nft(...commands: readonly string[]): void {
  execFileSync('nft', ['-f', '-'], { input: `${commands.join('\n')}\n` });
}

function ip(commands: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n` });
}
