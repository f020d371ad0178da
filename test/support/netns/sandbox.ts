import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

/** Tells a test file that it runs inside. */
const MARK = 'HEIMDALL_TEST_SANDBOX';
/** Set by the outer process: where `ip` and `nft` lie is not in everybody's path. */
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;

/**
 * Network, processes and mounts of its own: nothing of the machine is touched, and with the first process the kernel takes
 * away all others, namespaces and interfaces, however the test ends.
 */
const UNSHARE = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
/** For users other than root, where the system lets them have namespaces. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];

/** `ip netns` keeps its names in /run. The shell stays: it takes care of processes whose parents have ended. */
const FURNISH = 'mount -t tmpfs tmpfs /run && ip link set lo up || exit; "$@"; exit $?';
/** What the harness and its faults need. */
const TRIAL = `ip link add switch type bridge && ip netns add a && ip link add port type veth peer name eth0 netns a &&
  nft add table bridge faults && nft add chain bridge faults cut '{ type filter hook forward priority 0 ; }'`;

/**
 * Has a test file run in a sandbox, where it may make hosts: starts it there a second time. Where that is not permitted, its
 * tests are skipped, with what is missing.
 * @param file - of the caller.
 * @param define - defines its tests, inside.
 */
export async function inSandbox(file: string, define: () => void): Promise<void> {
  if (process.env[MARK]) {
    define();
    return;
  }
  const reason = whatIsMissing();
  if (reason !== null) {
    await test('on several hosts', { skip: `network namespaces cannot be used here: ${reason}` });
    return;
  }
  const [program, ...args] = enter(process.execPath, ...process.execArgv, file);
  const inside = spawn(program, args, { stdio: 'inherit', env: { ...process.env, PATH, [MARK]: '1' } });
  const [code] = await once(inside, 'exit');
  process.exitCode = Number(code ?? 1);
}

/** Null when everything is there that hosts need. */
function whatIsMissing(): string | null {
  const [program, ...args] = enter('sh', '-c', TRIAL);
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, PATH } });
  if (status === 0) return null;
  return error?.message ?? stderr.trim().replaceAll('\n', '; ');
}

/** A command inside; it ends with this process. */
function enter(...command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return ['setpriv', '--pdeathsig', 'KILL', ...UNSHARE, ...AS_ROOT, 'sh', '-c', FURNISH, 'sh', ...command];
}
