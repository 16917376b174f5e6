import type { Scalar } from './tree.ts'

const truths = new Set(['true', 'True', 'TRUE', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'])
const falsehoods = new Set(['false', 'False', 'FALSE', 'no', 'No', 'NO', 'off', 'Off', 'OFF'])

/**
 * What an unquoted YAML scalar means by the rules of YAML 1.1, which CircleCI's files are read by: `yes` and `on` are booleans, `0644` is octal.
 * Times such as `12:30:00` stay text: as numbers to the base of sixty they surprise, and nothing in a configuration wants them.
 */
export function plainValue(text: string): Scalar {
  if (text === '' || text === '~' || text === 'null' || text === 'Null' || text === 'NULL') return null
  if (truths.has(text)) return true
  if (falsehoods.has(text)) return false
  if (text.length > 40 || !/^[-+.\d]/.test(text)) return text
  if (/^[-+]?0[0-7]+$/.test(text)) return Number.parseInt(text.replace(/^([-+]?)0/, '$1'), 8)
  if (/^[-+]?0x[0-9a-fA-F]+$/.test(text)) return text.startsWith('-') ? -Number(text.slice(1)) : Number(text.replace('+', ''))
  if (/^[-+]?(0|[1-9]\d*)$/.test(text)) return Number(text)
  if (/^[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?$/.test(text) && /[.eE]/.test(text)) return Number(text)
  if (/^[-+]?\.(inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^\.(nan|NaN|NAN)$/.test(text)) return Number.NaN
  return text
}
