// Longer parts, other characters and leading dashes are no names of the time zone database.
const part = /^(?!-)[A-Za-z._0-9+-]{1,14}$/

/** What is wrong with the name of a time zone, in the words of upstream's validation of cron jobs; undefined when nothing is. */
export function timeZoneProblem(name: string): string | undefined {
  if (name === '') return 'timeZone must be nil or non-empty string'
  const unknown = `unknown time zone ${name}`
  if (name.split('/').some((one) => one === '.' || one === '..' || !part.test(one))) return unknown
  if (name.toLowerCase() === 'local') return 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
  return isTimeZone(name) ? undefined : unknown
}

export function isTimeZone(name: string): boolean {
  // Intl takes offsets, too
  if (name.startsWith('+')) return false
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    // Names are files to upstream, with capitals; Intl takes any case.
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase()
  } catch {
    return false
  }
}
