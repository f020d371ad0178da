const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A fast, well-mixed hash of a text, for spreading keys; an attacker can make collisions.
 *
 * FNV-1a (Fowler, Noll, Vo) over the UTF-16 code units, which for ASCII are its bytes, then `mix32`: FNV alone hardly
 * changes the high bits between texts that differ in their last character only.
 * @param seed - another seed gives an independent hash.
 * @returns an unsigned 32-bit integer.
 */
export function hash32(text: string, seed = 0): number {
  let hash = FNV_OFFSET_BASIS ^ mix32(seed);
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  return mix32(hash);
}

/**
 * The finalizer of MurmurHash3 (Appleby, `fmix32`): a one-to-one map of 32-bit integers in which every input bit
 * changes every output bit with a probability near one half.
 * @returns an unsigned 32-bit integer.
 */
export function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  mixed ^= mixed >>> 16;
  return mixed >>> 0;
}
