/** All warnings together may have so many characters; when they have more, each is cut to `mostOfOne`, and what still does not fit is left out (upstream's bounds). */
const mostOfAll = 4 * 1024
const mostOfOne = 256

/**
 * The value of the Warning header for what there is to warn of, each text once; undefined when nothing can be said. Texts with control characters are
 * left out, as upstream does: a header cannot hold them. What is not ASCII goes out as UTF-8, a byte a character, which is how Node wants headers.
 */
export function warningHeader(texts: readonly string[]): string | undefined {
  const sayable = [...new Set(texts)].filter((text) => text !== '' && !/\p{Cc}/u.test(text))
  const all = sayable.reduce((sum, text) => sum + lengthOf(text), 0)
  const said = all <= mostOfAll ? sayable : cut(sayable)
  if (said.length === 0) return undefined
  return said.map((text) => `299 - "${Buffer.from(text).toString('latin1').replace(/["\\]/g, '\\$&')}"`).join(', ')
}

function cut(texts: readonly string[]): string[] {
  const kept: string[] = []
  let written = 0
  for (const text of texts) {
    if (written >= mostOfAll) break
    const short =
      lengthOf(text) > mostOfOne
        ? Array.from(text.slice(0, 2 * mostOfOne))
            .slice(0, mostOfOne)
            .join('')
        : text
    kept.push(short)
    written += lengthOf(short)
  }
  return kept
}

/** In characters of Unicode; where it is certainly too long, more or less. */
const lengthOf = (text: string) => (text.length > 2 * mostOfAll ? text.length / 2 : [...text].length)
