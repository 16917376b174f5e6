const stars = '****'

/** Shorter values would hide half of every output; CircleCI does not mask these either. */
const shortest = 4
const harmless = new Set(['true', 'false', 'True', 'False', 'TRUE', 'FALSE', 'null', 'none'])

/** A stream of text in which secrets do not appear, also where one is split over chunks. */
export interface Masker {
  /** What can be shown of the text so far: everything but an end that may be the beginning of a secret. */
  push(text: string): string
  /** What was held back. */
  flush(): string
}

/** Every form in which a value may be printed: itself, its lines, base64 at each of the three alignments, percent-encoded, JSON-escaped. */
export function secretForms(values: readonly string[]): string[] {
  const forms = new Set<string>()
  const add = (form: string) => {
    if (form.length >= shortest && !harmless.has(form)) forms.add(form)
  }
  for (const value of values) {
    if (value.trim().length < shortest || harmless.has(value.trim())) continue
    add(value)
    add(value.trim())
    const lines = value.split(/\r?\n/)
    // a short line of a long value is not a secret by itself: `{`, `fi`
    if (lines.length > 1) for (const line of lines) if (line.trim().length >= 8) add(line.trim())
    // base64(prefix + value): what of it does not depend on the neighbours
    for (const bytes of [Buffer.from(value), Buffer.from(`${value}\n`)])
      for (const skip of [0, 1, 2]) {
        const text = Buffer.concat([Buffer.alloc(skip), bytes])
          .toString('base64')
          .replace(/=+$/, '')
        const stable = text.slice(skip === 0 ? 0 : skip + 1, bytes.length % 3 === (3 - skip) % 3 ? undefined : -1)
        if (stable.length >= 8) {
          add(stable)
          add(stable.replaceAll('+', '-').replaceAll('/', '_'))
        }
      }
    if (value.length >= 8) add(Buffer.from(value).toString('hex'))
    add(encodeURIComponent(value))
    add(JSON.stringify(value).slice(1, -1))
  }
  // the longest first, so that a secret that contains another one goes whole
  return [...forms].sort((a, b) => b.length - a.length)
}

export function createMasker(values: readonly string[]): Masker {
  const forms = secretForms(values)
  let held = ''
  const byFirst = new Map<string, string[]>()
  for (const form of forms) byFirst.set(form[0]!, [...(byFirst.get(form[0]!) ?? []), form])

  /** Masks what is whole in `text`; with `last`, nothing waits for more. */
  function scan(text: string, last: boolean): { shown: string; rest: string } {
    let shown = ''
    let from = 0
    for (let i = 0; i < text.length;) {
      const candidates = byFirst.get(text[i]!)
      if (!candidates) {
        i++
        continue
      }
      const found = candidates.find((form) => text.startsWith(form, i))
      const left = text.length - i
      // a longer secret may begin here whose end has not come yet
      const waiting =
        !last && candidates.some((form) => form.length > left && (!found || form.length > found.length) && form.startsWith(text.slice(i)))
      if (waiting) return { shown: shown + text.slice(from, i), rest: text.slice(i) }
      if (found) {
        shown += text.slice(from, i) + stars
        i += found.length
        from = i
      } else i++
    }
    return { shown: shown + text.slice(from), rest: '' }
  }

  return {
    push(text) {
      if (forms.length === 0) return text
      const { shown, rest } = scan(held + text, false)
      held = rest
      return shown
    },
    flush() {
      const { shown } = scan(held, true)
      held = ''
      return shown
    },
  }
}

/** Masks a whole text. */
export function masked(text: string, values: readonly string[]): string {
  const masker = createMasker(values)
  return masker.push(text) + masker.flush()
}
