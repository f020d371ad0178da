import type { Response } from 'express';
import { z } from 'zod';
import type { Deployment } from '../model/deployment.ts';
import {
  ByBodySchema,
  DeployBodySchema,
  RollbackBodySchema,
  ScaleBodySchema,
  ServicePatchBodySchema,
} from '../model/request-bodies.ts';
import { deploymentView } from '../server/deployment-views.ts';
import type { DeploymentOptions } from '../server/service-control.ts';
import type { ServiceDetails } from '../server/service-views.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { flag } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

const DeployQuerySchema = z.strictObject({ queue: flag().default(false), wait: flag().default(false) });

/** `/services/*`: services are shown, changed, deployed, paused. */
export function serviceEndpoints({ services }: Manager): Endpoint[] {
  const nothing = { query: Nothing, body: Nothing };
  return [
    endpoint('GET', '/services', nothing, async (_input, response) => sendJson(response, await services.list())),
    endpoint('GET', '/services/:id', nothing, async ({ id }, response) => {
      sendDetails(response, await services.get(id));
    }),
    endpoint(
      'PATCH',
      '/services/:id',
      { query: Nothing, body: ServicePatchBodySchema },
      async ({ id, body }, response) => {
        sendDetails(response, await services.patch(id, body));
      },
    ),
    endpoint(
      'POST',
      '/services/:id/scale',
      { query: Nothing, body: ScaleBodySchema },
      async ({ id, body }, response) => {
        sendDetails(response, await services.scale(id, body.instances));
      },
    ),
    endpoint('POST', '/services/:id/pause', nothing, async ({ id }, response) => {
      sendDetails(response, await services.pause(id));
    }),
    endpoint('POST', '/services/:id/resume', nothing, async ({ id }, response) => {
      sendDetails(response, await services.resume(id));
    }),
    change('deploy', DeployBodySchema, (id, body, options) => services.deploy(id, body, options)),
    change('restart', ByBodySchema, (id, _body, options) => services.restart(id, options)),
    change('rollback', RollbackBodySchema, (id, { to }, options) => services.rollback(id, to, options)),
  ];
}

/** Something that makes a deployment: 202 with it when it has begun, with `?wait=true` 200 when it has succeeded. */
function change<B extends typeof ByBodySchema>(
  verb: string,
  body: B,
  begin: (id: string, body: z.output<B>, options: DeploymentOptions) => Promise<Deployment>,
): Endpoint {
  const schemas = { query: DeployQuerySchema, body };
  return endpoint('POST', `/services/:id/${verb}`, schemas, async ({ id, query, body: checked }, response) => {
    const deployment = await begin(id, checked, { by: checked.by, ...query });
    response.status(query.wait ? 200 : 202).location(`/deployments/${deployment.id}`);
    sendJson(response, deploymentView(deployment));
  });
}

function sendDetails(response: Response, details: ServiceDetails): void {
  sendJson(response, { ...details, deployments: details.deployments.map(deploymentView) });
}
