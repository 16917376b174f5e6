/** A command line as the list of its words, by the quoting rules of POSIX shells; undefined when a quote has no end. Nothing is expanded. */
export function shellWords(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    word ??= ''
    if (char === '\\') word += line[++i] ?? ''
    else if (char === "'") {
      const end = line.indexOf("'", i + 1)
      if (end < 0) return undefined
      word += line.slice(i + 1, end)
      i = end
    } else if (char === '"') {
      for (i++; line[i] !== '"'; i++) {
        if (i >= line.length) return undefined
        if (line[i] === '\\' && '"\\$`'.includes(line[i + 1] ?? '-')) i++
        word += line[i]
      }
    } else word += char
  }
  if (word !== undefined) words.push(word)
  return words
}
