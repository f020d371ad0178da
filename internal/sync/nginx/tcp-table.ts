import { canonical } from '../canonical.ts';

/** A line of `/proc/net/tcp` or `tcp6` (proc_pid_net(5)). */
export interface TcpEntry {
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly state: 'open' | 'listening' | 'over';
  /** Of the socket, as text. */
  readonly inode: string;
}

/** By the kernel's numbers, `include/net/tcp_states.h`. Over on the other side alone, the answer may still be on its way here. */
const STATES: Readonly<Record<string, TcpEntry['state']>> = {
  '01': 'open', // ESTABLISHED
  '02': 'open', // SYN_SENT
  '08': 'open', // CLOSE_WAIT
  '0A': 'listening',
};

export function parseTcpTable(text: string): TcpEntry[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
      const [, localPort] = local.split(':');
      const [address, remotePort] = remote.split(':');
      if (!localPort || !address || !remotePort) return [];
      return [
        {
          localPort: Number.parseInt(localPort, 16),
          remoteAddress: addressOf(address),
          remotePort: Number.parseInt(remotePort, 16),
          state: STATES[state] ?? 'over',
          inode,
        },
      ];
    });
}

/** Words of four bytes, each in the machine's order, which is the reverse one on all that Node runs on but s390x. */
function addressOf(hex: string): string {
  const bytes = Array.from({ length: hex.length / 2 }, (_, at) => {
    const word = at - (at % 4);
    const from = 2 * (word + 3 - (at % 4));
    return hex.slice(from, from + 2);
  });
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return canonical(bytes.join('').replace(/(.{4})(?!$)/g, '$1:'));
}
