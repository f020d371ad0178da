// A tiny backend for the tests of the manager, in CommonJS because hundreds of it are started: a third of the CPU that
// TypeScript takes. The environment says how it misbehaves:
//   FAIL=message        prints the message and exits with code 3 (with FAIL_ON: only on that port)
//   DEAF=1              never listens             ELSEWHERE=1  listens on another port
//   STUBBORN=1          ignores SIGTERM           CHILD=1      starts a child in its own process group
//   HEEDS=SIGUSR2       ends with that signal, and says so
//   HOG=64              keeps so many megabytes of memory, in a child as well
//   OUTSIDER=1          lets a process of another group listen
const { spawn } = require('node:child_process');
const { createServer } = require('node:http');

const { env, argv } = process;
const port = Number(env['PORT']);

if (argv[2] === 'listen') {
  process.stdin.on('end', () => process.exit(0)).resume();
  listen(Number(argv[3]));
} else if (env['FAIL'] && (env['FAIL_ON'] ?? String(port)) === String(port)) {
  console.log('starting up');
  console.error(env['FAIL']);
  process.exitCode = 3;
} else {
  if (env['STUBBORN']) process.on('SIGTERM', () => {});
  const heeded = env['HEEDS'];
  if (heeded) {
    process.on(heeded, () => {
      console.log(`heard ${heeded}`);
      process.exit(0);
    });
  }
  const children = [];
  const hog = Number(env['HOG'] ?? 0);
  const memory = Buffer.alloc(hog * 1024 * 1024, 1);
  setInterval(() => memory.length, 60_000).unref();
  if (env['CHILD']) children.push(spawn('sleep', ['600'], { stdio: 'ignore' }).pid);
  if (env['OUTSIDER']) {
    const args = [__filename, 'listen', String(port)];
    // It ends with its standard input, and so with us.
    spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    setInterval(() => {}, 60_000);
  } else if (env['DEAF']) {
    console.log('not listening');
    setInterval(() => {}, 60_000);
  } else listen(env['ELSEWHERE'] ? 0 : port, children);
}

function listen(on, children = []) {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/exit') process.exit(Number(url.searchParams.get('code')));
    response.end(JSON.stringify({ pid: process.pid, env, args: argv.slice(2), cwd: process.cwd(), children }));
  });
  server.listen(on, '127.0.0.1', () => console.log(`listening on ${on}`));
}
