/** What a command says to the shell. They are told in `heimdall --help` and in the README. */
export const EXIT = {
  done: 0,
  /** The system said no, it went wrong, or a deployment went back. */
  failed: 1,
  usage: 2,
  /** No manager or load balancer can be reached. */
  unreachable: 3,
  /** By Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
