import type { Library } from '../library.ts'
import { types } from '../types.ts'
import { estimatesReading, readsFirst } from './costs.ts'

/** `kubernetes.jsonpatch`: keys for the paths of JSON patches. Only expressions that make patches have it. */
export const jsonPatch: Library = {
  name: 'kubernetes.jsonpatch',
  functions: {
    'jsonpatch.escapeKey': [
      {
        id: 'string_jsonpatch_escapeKey_string',
        parameters: [types.string],
        result: types.string,
        call: (key) => (key as string).replaceAll('~', '~0').replaceAll('/', '~1'),
        cost: readsFirst(),
        estimate: estimatesReading(1, true),
      },
    ],
  },
}
