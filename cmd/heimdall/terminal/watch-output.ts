import { EXIT } from '../exit-codes.ts';

/** Streams of this process, and how it ends. */
interface Outputs {
  readonly stdout: NodeJS.EventEmitter;
  readonly stderr: NodeJS.EventEmitter & { write(text: string): unknown };
  readonly exit: (code: number) => void;
}

/**
 * What becomes of a command when its output cannot be written. Whoever reads its results may stop when it has enough
 * (`heimdall events | head -1`): that ends it, and is no failure; a full disk is one. That nobody reads how far it is changes nothing.
 * Not for commands that keep others alive.
 */
export function watchOutput({ stdout, stderr, exit }: Outputs): void {
  stderr.on('error', () => {});
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return exit(EXIT.done);
    stderr.write(`heimdall: the output cannot be written: ${error.message}\n`);
    exit(EXIT.failed);
  });
}
