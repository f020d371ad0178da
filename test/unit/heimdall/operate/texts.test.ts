import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  alertsText,
  channelsText,
  resultsText,
  rulesText,
  silencesText,
} from '../../../../cmd/heimdall/operate/alerts-text.ts';
import {
  deploymentsText,
  deploymentText,
  outcomeText,
  stepText,
} from '../../../../cmd/heimdall/operate/deployments-text.ts';
import { eventText } from '../../../../cmd/heimdall/operate/events-text.ts';
import { nodesText } from '../../../../cmd/heimdall/operate/nodes-text.ts';
import { serversText, serverText } from '../../../../cmd/heimdall/operate/servers-text.ts';
import { servicesText, serviceText } from '../../../../cmd/heimdall/operate/services-text.ts';
import { type Paint, plain } from '../../../../cmd/heimdall/terminal/paint.ts';
import type { ChannelView } from '../../../../internal/model/alert-view.ts';
import type { NodeView } from '../../../../internal/model/node-view.ts';
import { ago, alertView, deploymentView, instanceView, NOW, serviceView } from '../../../support/views.ts';

const marking: Paint = (_style, text) => `\x1b[31m${text}\x1b[39m`;
const ESCAPES = /\x1b\[\d+m/g; // oxlint-disable-line no-control-regex

describe('instances as text', () => {
  const instances = [
    instanceView(9001, { cpu: 12.34, memory: 89 * 1024 ** 2 }),
    instanceView(9002, { status: 'error', health: 'unknown', pid: null, restarts: 3, lastError: 'exited with code 1' }),
  ];

  it('has a row for each, and why those that failed did', () => {
    const [head = '', first = '', second = '', note] = serversText(instances, plain, NOW).split('\n');
    assert.match(head, /^port +id +service +status +health +version +weight +pid +cpu % +memory +restarts +since$/);
    assert.match(first, /^9001 +web-9001-aaaaaa +web +● running +● healthy +- +1 +101 +12\.3 +89 MB +0 +3m20s$/);
    assert.match(second, /^9002 .* ✖ error +○ unknown +- +1 +- +- +- +3 +3m20s$/);
    assert.equal(note, '  web-9002-aaaaaa: exited with code 1');
  });

  it('stands in the same columns with colours as without', () => {
    assert.equal(serversText(instances, marking, NOW).replace(ESCAPES, ''), serversText(instances, plain, NOW));
  });

  it('tells the nodes where there are several', () => {
    const [head, ...rows] = serversText(
      [instanceView(9001, { node: 'a' }), instanceView(9002, { node: 'b' })],
      plain,
      NOW,
    ).split('\n');
    assert.match(head ?? '', /^port +id +service +node +status/);
    assert.match(rows[1] ?? '', /^9002 .* web +b +/);
    assert.doesNotMatch(serversText([instanceView(9001, { node: 'a' })], plain, NOW), /node/);
  });

  it('does not let an instance that failed write on the terminal', () => {
    const text = serverText(instanceView(9001, { lastError: 'x\x1b]0;title\x07\x1b[2Jy' }), plain, NOW);
    assert.match(text, /^last error +xy$/m);
  });

  it('says that there are none', () => assert.equal(serversText([], plain, NOW), 'no instances\n'));
});

describe('nodes as text', () => {
  const node: NodeView = {
    name: 'a',
    self: true,
    url: 'http://10.0.0.5:7000',
    address: '10.0.0.5',
    version: '1',
    services: ['web'],
    instances: 3,
    cores: 4,
    load: 0.5,
    pid: 1,
    startedAt: ago(100),
    alive: true,
    awaySince: null,
  };

  it('tells which are there, and for how long the others are away', () => {
    const away = { ...node, name: 'b', self: false, url: null, alive: false, awaySince: ago(61) };
    const [, first, second, note] = nodesText([node, away], plain, NOW).split('\n');
    assert.match(first ?? '', /^a \* +● there +3 +4 +0\.50 +10\.0\.0\.5 +http:\/\/10\.0\.0\.5:7000 +1 +web$/);
    assert.match(second ?? '', /^b +✖ away for 1m/);
    assert.equal(note, '* is the one that answers');
  });
});

describe('services as text', () => {
  for (const [changes, state] of [
    [{}, '● running'],
    [{ pausedSince: ago(5), error: 1 }, '◐ paused'],
    [{ deploying: 7 }, '◐ deploying 7'],
    [{ error: 1 }, '✖ 1 failed'],
    [{ running: 0 }, '○ down'],
    [{ running: 0, desired: 0 }, '○ asleep'],
    [{ starting: 1 }, '◐ 1 starting'],
    [{ draining: 2 }, '◐ 2 draining'],
  ] as const) {
    it(`says first that it is ${state}`, () => {
      const [, row = ''] = servicesText([serviceView('web', changes)], plain).split('\n');
      assert.ok(row.startsWith(`web      ${state} `), row);
    });
  }

  it('counts what agents have announced among what there should be', () => {
    const service = serviceView('web', { desired: 1, running: 2, announced: 2 });
    assert.match(servicesText([service], plain), / 2\/3 /);
  });

  it('tells of one what is in force, what runs and what was deployed', () => {
    const service = {
      ...serviceView('web', { maxConnections: 4, overridden: ['algorithm'], pausedSince: ago(61) }),
      routes: [{ host: '*', path: '/shop', rateLimit: null }],
      versions: ['blue', 'green'],
      instances: [instanceView(9001)],
      deployments: [deploymentView()],
    };
    const text = serviceText(service, plain, NOW);
    for (const line of [
      /^paused +for 1m1s; new requests are held$/m,
      /^connections +4 of each instance at most$/m,
      /^by hand +algorithm$/m,
      /^routes +\*\/shop$/m,
      /^versions +blue, green$/m,
      /^9001 +web-9001-aaaaaa /m,
      /^ +7 +web +deploy +● succeeded /m,
    ])
      assert.match(text, line);
  });
});

describe('deployments as text', () => {
  it('has a row for each with how long it took and why it went back', () => {
    const text = deploymentsText([deploymentView({ state: 'rolled-back', reason: 'too many errors' })], plain, NOW);
    assert.match(text, /^ +7 +web +deploy +✖ rolled-back +1\.4 +ann +\S+( \S+)? +12s +too many errors$/m);
  });

  it('tells steps by the time since the beginning, with output that explains them', () => {
    const step = { at: ago(58.5), message: 'web-9002 did not get ready', logTail: ['no database'] };
    assert.equal(stepText(step, ago(61), plain), '      2s  web-9002 did not get ready\n          | no database\n');
    const whole = deploymentText({ ...deploymentView(), steps: [step] }, plain, NOW);
    assert.match(whole, /succeeded[^]*\n {6}2s {2}web-9002 did not get ready\n/);
  });

  it('tells how it goes on each node where there are several', () => {
    const nodes = [
      { node: 'a', state: 'succeeded', version: '1.4' },
      { node: 'b', state: 'skipped', version: '1.4', reason: 'node b is away' },
    ] as const;
    const step = { at: ago(58.5), node: 'a', message: 'done' };
    const text = deploymentText({ ...deploymentView({ nodes }), steps: [step] }, plain, NOW);
    assert.match(text, /^a +● succeeded +1\.4\s+b +○ skipped +1\.4 +node b is away$/m);
    assert.match(text, /^ +2s {2}a: done$/m);
    const sentence = '● deploy 7 of web (version 1.4) succeeded after 12s; left out, as away: b\n';
    assert.equal(outcomeText(deploymentView({ nodes }), plain), sentence);
    assert.match(
      outcomeText(deploymentView({ nodes: nodes.slice(0, 1) }), plain),
      /^● deploy 7 of web on node a \(version 1\.4\) succeeded/,
    );
    const one = deploymentText({ ...deploymentView({ nodes: nodes.slice(0, 1) }), steps: [step] }, plain, NOW);
    assert.match(one, /^ +2s {2}done$/m);
  });

  for (const [changes, sentence] of [
    [{}, '● deploy 7 of web (version 1.4) succeeded after 12s'],
    [
      { state: 'rolled-back', reason: 'exited' },
      '✖ deploy 7 of web (version 1.4) was rolled back, and the release before runs again after 12s: exited',
    ],
    [{ state: 'queued', finishedAt: null }, '○ deploy 7 of web (version 1.4) waits for the one before it'],
  ] as const) {
    it(`ends with: ${sentence}`, () => assert.equal(outcomeText(deploymentView(changes), plain), `${sentence}\n`));
  }
});

describe('events and alerts as text', () => {
  it('has an event in a line', () => {
    const event = { id: 1, service: 'web', instanceId: null, data: {} };
    const line = eventText({ ...event, at: ago(1), type: 'service.scaled', message: 'web: 3' }, plain, NOW);
    assert.match(line, /\d\d:\d\d:\d\d {2}service\.scaled +web: 3\n$/);
  });

  it('is one line for each, whatever somebody has written there: nobody forges a row', () => {
    const event = { id: 1, service: 'web', instanceId: null, data: {} };
    const forged = 'v1\r\n20:00:00  alert.resolved  all is well\n';
    const line = eventText({ ...event, at: ago(1), type: 'audit', message: forged }, plain, NOW);
    assert.match(line, /^\S+ {2}audit +v1 …\n$/);
    const cause = 'config.json has 2 problems:\n  proxy.x: unknown key\n  proxy.y: unknown key';
    const rows = alertsText([alertView({ cause })], plain, NOW)
      .trimEnd()
      .split('\n');
    assert.equal(rows.length, 2);
    assert.match(rows[1] ?? '', / is down \(config\.json has 2 problems: …\) +c5$/);
  });

  it('says who knows of an alert, and what is silenced', () => {
    const acknowledged = { at: ago(1), by: 'ann', comment: 'mine' };
    const text = alertsText([alertView({ acknowledged }), alertView({ silenced: true, cause: null })], plain, NOW);
    assert.match(
      text,
      /✖ active +warning .* 1m30s +web-9001-aaaaaa is down \(connect ECONNREFUSED\) +c5 +acknowledged by ann: mine$/m,
    );
    assert.match(text, /web-9001-aaaaaa is down +c5 +silenced$/m);
    assert.equal(alertsText([], plain, NOW), 'no alerts\n');
  });

  it('has silences, channels, rules and results of a trial in rows', () => {
    const silence = { id: 3, match: { service: 'web' }, createdAt: ago(9), until: ago(-9), by: 'ann', comment: '' };
    assert.match(silencesText([silence], plain, NOW), /^ 3 +service web +\S+( \S+)? +ann +-$/m);
    const channel: ChannelView = {
      name: 'ops',
      target: 'https://a',
      format: 'json',
      severity: 'info',
      services: [],
      at: ago(9),
      by: 'ann',
    };
    assert.match(channelsText([channel], plain), /^ops +https:\/\/a +json +info +all +ann$/m);
    const rule = { rule: 'disk', severity: 'critical', subject: '/', state: 'firing', reading: '99 %' } as const;
    assert.match(rulesText([rule], plain), /^✖ firing +disk +\/ +critical +99 %$/m);
    const results = [{ channel: 'ops', ok: false, error: 'status 500', durationMs: 12 }];
    assert.equal(resultsText(results, plain), '✖ failed  ops  12ms  status 500\n');
  });
});
