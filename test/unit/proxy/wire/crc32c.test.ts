import assert from 'node:assert/strict';
import { it } from 'node:test';
import { crc32c } from '../../../../internal/proxy/wire/crc32c.ts';

it('computes CRC32c as in the examples of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});
