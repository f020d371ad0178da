import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

/** The release that heimdall is made for and tested on. */
const TESTED_MAJOR = 26;

export function checkNode({ nodeVersion }: Machine): Finding[] {
  const about = 'Node';
  const major = Number(nodeVersion.split('.', 1)[0]);
  if (major === TESTED_MAJOR) return [well(about, nodeVersion)];
  const message = `${nodeVersion}; heimdall is tested on Node ${TESTED_MAJOR}`;
  return [
    { level: 'hint', about, message, advice: `npm install node@${TESTED_MAJOR} beside heimdall brings it along` },
  ];
}
