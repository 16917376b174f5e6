import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError, decodeObject, schemaOf } from '#api'
import { converterWords } from './converter-words.ts'

const rows: [patched: object, words: string | undefined][] = [
  [{ spec: 'x' }, 'cannot restore struct from: string'],
  [{ spec: ['x'] }, 'cannot restore struct from: slice'],
  [{ metadata: { labels: 'x' } }, 'cannot restore map from string'],
  [{ metadata: { labels: { a: 1 } } }, 'cannot convert int64 to string'],
  [{ metadata: { labels: { a: 1.5 } } }, 'unrecognized type: string'],
  [{ metadata: { labels: { a: {} } } }, 'unrecognized type: string'],
  [{ metadata: { finalizers: true } }, 'cannot restore slice from bool'],
  [{ spec: { replicas: 'x' } }, 'unrecognized type: int32'],
  [{ spec: { replicas: 1.5 } }, 'cannot convert float64 to int32'],
  [{ spec: { paused: 1 } }, 'unrecognized type: bool'],
  // upstream cuts it down to 32 bits, and takes it
  [{ spec: { replicas: 3e9 } }, undefined],
]
for (const [patched, words] of rows)
  test(`${JSON.stringify(patched)}: ${words}`, () => {
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', ...patched }
    assert.throws(
      () => decodeObject(object, schemaOf('apps/v1', 'Deployment')!),
      (error) => error instanceof DecodeError && converterWords(error.mismatch!) === words,
    )
  })
