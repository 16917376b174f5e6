import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { authorization } from '#api'
import { selectorCauses, selectorProblem } from './review-selectors.ts'

type Attributes = authorization.ResourceAttributes
const path = 'spec.resourceAttributes'
const both = (selector: object) => ({ fieldSelector: selector, labelSelector: selector }) as Attributes
const fields = (...requirements: object[]) => ({ fieldSelector: { requirements } }) as Attributes
const labels = (...requirements: object[]) => ({ labelSelector: { requirements } }) as Attributes
const inOne = { key: 'a', operator: 'In', values: ['b'] }

const rows: [title: string, attributes: Attributes, ...causes: string[]][] = [
  ['none', {}],
  ['as texts', both({ rawSelector: 'a=b' })],
  ['as requirements', both({ requirements: [inOne, { key: 'a', operator: 'Exists' }] })],
  [
    'of nothing',
    both({}),
    ...['fieldSelector', 'labelSelector'].map(
      (field) => `${path}.${field}.requirements: Required value: when ${path}.${field} is specified, requirements or rawSelector is required`,
    ),
  ],
  [
    'in both forms',
    both({ rawSelector: 'a=b', requirements: [inOne] }),
    ...['fieldSelector', 'labelSelector'].map(
      (field) => `${path}.${field}.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
    ),
  ],
  ['of no field', fields({ operator: 'In', values: ['b'] }), `${path}.fieldSelector.requirements[0].key: Required value: must be specified`],
  [
    'without values, or with too many',
    fields({ key: 'a', operator: 'In' }, { key: 'a', operator: 'Exists', values: ['b'] }),
    `${path}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
    `${path}.fieldSelector.requirements[1].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
  ],
  ['of operators that only newer releases know', both({ requirements: [{ key: 'a', operator: 'Near', values: ['b'] }] })],
  [
    'of labels that are none',
    labels({ key: 'a b', operator: 'In', values: ['c d'] }),
    `${path}.labelSelector.requirements[0].key: Invalid value: "a b": name part must consist of`,
    `${path}.labelSelector.requirements[0].values[0]: Invalid value: "c d": a valid label must be an empty string`,
  ],
]
for (const [title, attributes, ...expected] of rows)
  test(`selectors of reviews: ${title}`, () => {
    const found = selectorCauses(attributes).map(({ field, message }) => `${field}: ${message}`)
    assert.equal(found.length, expected.length, found.join('\n'))
    for (const [i, text] of expected.entries()) assert.ok(found[i]!.startsWith(text))
  })

const ignored: [title: string, attributes: Attributes, problem: string | undefined][] = [
  ['nothing', both({ rawSelector: 'a=b,c!=d' }), undefined],
  ['nothing of one value', fields(inOne), undefined],
  ['a text that cannot be read', { labelSelector: { rawSelector: 'a in' } }, `${path}.labelSelector ignored due to parse error`],
  ['fields that exist', fields({ key: 'a', operator: 'Exists' }), `${path}.fieldSelector ignored due to parse error`],
  [
    'fields of several values beside others',
    fields(inOne, { ...inOne, values: ['b', 'c'] }),
    `${path}.fieldSelector partially ignored due to parse error`,
  ],
  ['an unknown operator beside others', labels(inOne, { key: 'a', operator: 'Near' }), `${path}.labelSelector partially ignored due to parse error`],
  [
    'both',
    both({ requirements: [{ key: 'a', operator: 'Near' }] }),
    `${path}.fieldSelector ignored due to parse error; ${path}.labelSelector ignored due to parse error`,
  ],
]
for (const [title, attributes, problem] of ignored)
  test(`selectors of reviews: what is left out: ${title}`, () => assert.equal(selectorProblem(attributes), problem))
