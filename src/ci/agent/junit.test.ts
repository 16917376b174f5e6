import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testReport } from './junit.ts'

test('failures, errors and skipped tests are counted, with names', () => {
  const report = testReport([
    `<?xml version="1.0"?><testsuites><testsuite name="a" tests="5">
      <testcase classname="Article" name="has a title" time="0.1"/>
      <testcase classname="Article" name="is &lt;listed&gt;" file="spec/article_spec.rb"><failure message="expected 1 &amp; got 2">at line 3</failure></testcase>
      <testcase name="breaks"><error><![CDATA[ undefined <method> ]]></error></testcase>
      <testcase name="later"><skipped/></testcase>
      <testcase name="prints"><system-out>&lt;failure&gt; <![CDATA[<failure/>]]></system-out></testcase>
    </testsuite></testsuites>`,
    '<testsuite><testcase name="other file"></testcase></testsuite>',
  ])
  assert.deepEqual(report, {
    total: 6,
    failed: 2,
    skipped: 1,
    failures: [
      { name: 'is <listed>', className: 'Article', file: 'spec/article_spec.rb', message: 'expected 1 & got 2' },
      { name: 'breaks', message: 'undefined <method>' },
    ],
  })
})

test('a file that was cut off counts as far as it goes', () => {
  assert.deepEqual(testReport(['<testsuite><testcase name="a"/><testcase name="b"><failure mess']), { total: 1, failed: 0, skipped: 0, failures: [] })
  assert.deepEqual(testReport(['no xml at all < & >']), { total: 0, failed: 0, skipped: 0, failures: [] })
})
