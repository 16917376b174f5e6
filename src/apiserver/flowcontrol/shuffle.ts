/** A hash of a flow, as an integer below 2^53: two rounds of FNV-1a over its name. */
export function flowHash(schema: string, distinguisher: string): number {
  const text = `${schema}\0${distinguisher}`
  let low = 0x811c9dc5
  let high = 0x1234567
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ (code + i), 0x01000193)
  }
  // the last characters reach all bits only by mixing
  high = Math.imul(high ^ (low >>> 15), 0x2c1b3c6d)
  low = Math.imul(low ^ (high >>> 13), 0x297a2d39)
  return ((high >>> 11) & 0x1fffff) * 2 ** 32 + (low >>> 0)
}

/**
 * Deals `handSize` different cards of a deck of `deckSize` by a hash: the queues that a flow may use. Two flows seldom have the same hand, so that a flow that
 * fills its queues leaves others one of their own (shuffle sharding).
 *
 * Example: dealHand(0, 4, 2) is [0, 1]; dealHand(5, 4, 2) is [1, 2] (5 = 1·4 + 1: card 1 of four, then card 1 of the three that are left).
 */
export function dealHand(hash: number, deckSize: number, handSize: number): number[] {
  const hand: number[] = []
  let rest = hash
  for (let i = 0; i < Math.min(handSize, deckSize); i++) {
    const left = deckSize - i
    const quotient = Math.floor(rest / left)
    let card = rest - quotient * left
    rest = quotient
    // the card-th of those that were not dealt yet
    for (const dealt of [...hand].sort((a, b) => a - b)) if (card >= dealt) card++
    hand.push(card)
  }
  return hand
}
