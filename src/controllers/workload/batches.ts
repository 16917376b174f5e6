/**
 * Does `count` things in batches that double while all goes well: a quota or an admission rule that refuses the first is asked once, not a
 * hundred times. Answers how many went well, and the first error.
 */
export async function inBatches(count: number, once: (index: number) => Promise<void>): Promise<{ done: number; error?: unknown }> {
  let done = 0
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done)
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => once(done + i)))
    const failed = results.find((r) => r.status === 'rejected')
    done += results.filter((r) => r.status === 'fulfilled').length
    if (failed) return { done, error: failed.reason as unknown }
  }
  return { done }
}
