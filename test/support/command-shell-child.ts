// The process of a CommandShell.
import { runCommand } from '../../cmd/heimdall/cli.ts';

process.on('message', (args: string[]) => void answer(args));

async function answer(args: readonly string[]): Promise<void> {
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  process.exitCode = 0;
  await runCommand(['node', 'heimdall', ...args]);
  process.send?.({ code: process.exitCode, stdout: stdout.release(), stderr: stderr.release() });
  process.exitCode = 0;
}

function capture(stream: NodeJS.WriteStream) {
  const write = stream.write.bind(stream);
  let text = '';
  stream.write = (piece: string | Uint8Array) => {
    text += piece.toString();
    return true;
  };
  return {
    release() {
      stream.write = write;
      return text;
    },
  };
}
