import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SettingsInForce } from '../../../internal/proxy/settings-in-force.ts';
import { service, serviceState } from '../../support/proxy-fakes.ts';

describe('the settings in force', () => {
  const overridden = serviceState({ overrides: { algorithm: { value: 'least-time', over: 'round-robin' } } });

  it('are those of the configuration, but for what was set by hand', () => {
    const settings = new SettingsInForce();
    const [web, api] = [service(), service({ name: 'api' })];
    settings.configured = [web, api];
    settings.states = [overridden];
    assert.deepEqual(
      settings.orders.map((order) => [order.service.name, order.service.algorithm, order.state]),
      [
        ['web', 'least-time', overridden],
        ['api', 'round-robin', null],
      ],
    );
    assert.equal(settings.orders[1]?.service, api);
    settings.states = [];
    assert.equal(settings.orders[0]?.service, web);
  });

  it('stay the same object while they stay the same', () => {
    const settings = new SettingsInForce();
    settings.configured = [service()];
    settings.states = [overridden];
    const [before] = settings.orders;
    settings.states = [{ ...overridden, desired: 7, pausedSince: 5 }];
    assert.equal(settings.orders[0]?.service, before?.service);
    settings.states = [
      serviceState({ overrides: { ...overridden.overrides, maxConnections: { value: 3, over: null } } }),
    ];
    assert.deepEqual(
      [settings.orders[0]?.service.algorithm, settings.orders[0]?.service.maxConnections],
      ['least-time', 3],
    );
  });

  it('are those of the configuration again when that has changed since', () => {
    const settings = new SettingsInForce();
    settings.configured = [service()];
    settings.states = [overridden];
    settings.configured = [service({ algorithm: 'ip-url-hash' })];
    assert.equal(settings.orders[0]?.service.algorithm, 'ip-url-hash');
  });
});
