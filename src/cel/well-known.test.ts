import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEnvironment } from './compile.ts'
import { standardLibrary } from './libraries/standard.ts'
import { CelError } from './values.ts'
import { show } from './values/names.ts'

const environment = createEnvironment({ libraries: [standardLibrary], variables: {} })
const answer = (source: string): string => {
  const { value } = environment.compile(source).evaluate({})
  return value instanceof CelError ? value.message : show(value)
}

describe('messages of protocol buffers are values of the language', () => {
  const rows: [source: string, value: string][] = [
    ['google.protobuf.Int64Value{value: 5} + 1', '6'],
    ['google.protobuf.UInt32Value{}', '0'],
    ['google.protobuf.StringValue{value: "a"} + "b"', 'ab'],
    ['google.protobuf.FloatValue{value: 1.1} == 1.1', 'false'],
    ['google.protobuf.Timestamp{seconds: 5} == timestamp("1970-01-01T00:00:05Z")', 'true'],
    ['google.protobuf.Duration{seconds: 1, nanos: -5} == duration("0.999999995s")', 'true'],
    ['google.protobuf.Struct{fields: {"a": 1}}.a == 1.0', 'true'],
    ['type(google.protobuf.ListValue{values: [1]}[0]) == double', 'true'],
    ['google.protobuf.Value{} == null', 'true'],
    ['google.protobuf.Value{number_value: 1.0, string_value: "a"}', 'a'],
    ['google.protobuf.NullValue.NULL_VALUE', '0'],
    [
      'google.protobuf.Int32Value{value: 5000000000}',
      'field type conversion error for google.protobuf.Int32Value.value value type: integer overflow',
    ],
    ['google.protobuf.Timestamp{nanos: 5000000000}', 'field type conversion error for google.protobuf.Timestamp.nanos value type: integer overflow'],
    [
      'google.protobuf.Timestamp{seconds: dyn("a")}',
      "field type conversion error for google.protobuf.Timestamp.seconds value type: unsupported native conversion from string to 'int64'",
    ],
    ['google.protobuf.Struct{fields: dyn(1)}', 'unsupported field type for google.protobuf.Struct.fields: int'],
  ]
  for (const [source, value] of rows) test(source, () => assert.equal(answer(source), value))
  test('a field that they have not is undefined', () => assert.throws(() => answer('google.protobuf.Int64Value{foo: 1}'), /undefined field 'foo'/))
})
