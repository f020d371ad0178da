import { createBalancer } from '../../internal/algorithms/create-balancer.ts';
import { ALGORITHMS } from '../../internal/model/algorithms.ts';
import { balancerContract } from './balancer.case.ts';

for (const algorithm of ALGORITHMS) {
  balancerContract(algorithm, (random) =>
    createBalancer({ algorithm, hash: { balanceFactor: null } }, undefined, random),
  );
}

balancerContract('ip-url-hash with bounded load', (random) =>
  createBalancer({ algorithm: 'ip-url-hash', hash: { balanceFactor: 1.25 } }, undefined, random),
);
