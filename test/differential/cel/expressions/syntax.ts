import { lines } from './lines.ts'

const reserved = ['as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let', 'loop', 'namespace', 'null', 'package', 'return', 'true', 'var', 'void', 'while', 'int', 'type', 'dyn', 'list', 'self', '_', '__', '_a', 'A1', 'a_b', 'and'] // prettier-ignore

const deep = (open: string, inner: string, close: string, count: number) => open.repeat(count) + inner + close.repeat(count)

export const syntax = [
  ...lines('syntax'),
  ...reserved.flatMap((name) => [
    name,
    `${name} + 1`,
    `${name}()`,
    `object.${name}`,
    `[1].map(${name}, ${name})`,
    `${name}.x`,
    `has(${name}.x)`,
    `{'a': 1}.${name}`,
  ]),
  ...[2, 30, 60, 100, 200, 249, 250, 251, 300].flatMap((count) => [deep('(', '1', ')', count), deep('[', '', ']', count), deep('!', 'p', '', count), deep('-', 'i', '', count), deep('i + ', 'i', '', count), deep('', 'object', '.a', count), deep('', 'l', '[0]', count), deep('p ? ', 'p', ' : p', count), deep("{'a': ", '1', '}', count), deep('p && ', 'p', '', count), deep('size([', '1', '])', count)]), // prettier-ignore
  ...[10, 12, 20].map((count) => deep('[1].map(x, ', '1', ')', count)),
  ...Array.from({ length: 12 }, (_, n) => `${'$ '.repeat(n)}1 +`),
  `[${'1, '.repeat(2000)}1].size()`,
  `'${'a'.repeat(3000)}'.size()`,
  `${'nope + '.repeat(120)}1`,
]

/** What the checker finds. */
export const types = lines('types')
