/** `performance.now()` starts with each thread, `hrtime` with the machine. */
const offset = hrtimeMs() - performance.now();

/** Milliseconds of a monotonic clock that is the same in all threads of a process. */
export function sharedNow(): number {
  return performance.now() + offset;
}

function hrtimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
