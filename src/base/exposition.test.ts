import assert from 'node:assert/strict'
import { test } from 'node:test'
import { histogram, histogramFamily, metricFamily, metricLabels, observe } from './exposition.ts'

test('a family without samples is not shown', () => {
  assert.equal(metricFamily('a_total', 'counter', 'A', []), '')
  assert.equal(histogramFamily('a_seconds', 'A', []), '')
})

test('labels are escaped', () => {
  assert.equal(metricLabels({ name: 'a"b\\c\nd', count: 2 }), 'name="a\\"b\\\\c\\nd",count="2"')
})

test('buckets add up, and bounds are written as Go writes them', () => {
  const sizes = histogram([5e-5, 0.0001, 0.25, 1, 1000, 100_000, 1e6, 1e9])
  for (const value of [0.1, 0.2, 1, 2000, 1e10]) observe(sizes, value)
  const text = histogramFamily('a_bytes', 'A', [['x="y"', sizes]])
  assert.deepEqual(
    [...text.matchAll(/le="([^"]*)"\} (\d+)/g)].map(([, bound, count]) => `${bound} ${count}`),
    ['5e-05 0', '0.0001 0', '0.25 2', '1 3', '1000 3', '100000 4', '1e+06 4', '1e+09 4', '+Inf 5'],
  )
  assert.match(text, /^a_bytes_count\{x="y"\} 5$/m)
})
