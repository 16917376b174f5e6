const words = ["''", "'a'", "'tacocat'", "'héllo wörld'", "'𝒳y𝒵'", 's']
const calls = [
  ...['-1', '0', '1', '3', '7', '8', 'i', "'a'", '1u', '9223372036854775807'].map((at) => `charAt(${at})`),
  ...["''", "'a'", "'c'", "'cat'", "'ö'", "'𝒵'", "'zz'", '1'].flatMap((what) => [
    `indexOf(${what})`,
    `lastIndexOf(${what})`,
    `contains(${what})`,
    `startsWith(${what})`,
    `endsWith(${what})`,
  ]),
  ...['-1', '0', '2', '7', '8', '100'].flatMap((at) => [
    `indexOf('a', ${at})`,
    `lastIndexOf('a', ${at})`,
    `indexOf('', ${at})`,
    `substring(${at})`,
    `substring(0, ${at})`,
    `substring(2, ${at})`,
    `substring(${at}, 3)`,
  ]),
  ...["'', '-'", "'a', ''", "'a', 'aa'", "'zz', 'x'", "'a', 'x', 1", "'a', 'x', 0", "'a', 'x', -1", "'', '-', 2", "'a'", '1, 2'].map(
    (how) => `replace(${how})`,
  ),
  ...["''", "'a'", "'zz'", "' '", "'a', 2", "'a', 1", "'a', 0", "'a', -1", "'', 2", '1'].map((how) => `split(${how})`),
  'lowerAscii()',
  'upperAscii()',
  'trim()',
  'size()',
  'reverse()',
  'quote()',
  "join('-')",
  'format([])',
  "format('a')",
  'lowerAscii(1)',
  "matches('^t')",
  "matches('[')",
  "matches('a' + '[')",
  "matches('(?i)TACO')",
  "matches('')",
  'matches(1)', // prettier-ignore
]

const verbs = ['%s', '%d', '%f', '%.2f', '%.0f', '%e', '%.3e', '%b', '%o', '%x', '%X', '%.1f', '%.21f', '%.-1f', '%5d', '%-5s', '%+d', '%v', '%t', '%q', '%', '%%', '%z', '%.f', '%.2', '%.2d', '%.2s', '% d'] // prettier-ignore
const formatted = ['n', 'p', 'i', 'u', 'd', 's', 'b', 't', 'r', 'l', 'ls', 'll', 'm', 'mi', 'o', 'q', 'a', 'int', 'ld', '-7', "'-7'", "double('NaN')", "double('Infinity')", "double('-Infinity')", '0.1', '1e21', '-0.0', '123456789.987654321', "b'\\xff\\x00'", "'é'", '[]', '{}', '[1.5, null, true]', "{'b': [1], 'a': {2: t}}", '[t, timestamp(0)]', '9223372036854775807', '18446744073709551615u'] // prettier-ignore

export const strings = [
  ...words.flatMap((word) => calls.map((call) => `${word}.${call}`)),
  ...verbs.flatMap((verb) => formatted.map((value) => `'${verb}'.format([${value}])`)),
  ...["'%s %s'.format(['a'])", "'%s'.format(['a', 'b'])", "''.format([])", "'a%%b'.format([])", "'%s'.format([])", "'%d %s %f'.format([1, 'a', 1.5])", "'%s'.format(l)", "'%d-%d-%d'.format(l)", "'%s'.format(object)", "'%s'.format([object])", "'%s'.format([object.metadata.labels])", "'%s'.format([object.spec.template.spec.nodeSelector])", "'%d'.format([object.spec.replicas])", "'%f'.format([object.spec.ratio])", "s.format([1])", "('%' + s).format([1])", "'%s'.format([params.list])", "'%s'.format(['\\n'])", "'é%s'.format(['ü'])", "'%s'.format([1/zero])", "'%d'.format([1.0])", "'%f'.format([1])", "'%e'.format([12345])", "'%x'.format(['hé'])", "'%X'.format([b'abc'])", "'%x'.format([-255])", "'%b'.format([true])", "'%b'.format([-5])", "'%o'.format([-8])", "'%.3f'.format([2.0005])", "'%.0f'.format([0.5])", "'%.0f'.format([1.5])", "'%.0f'.format([2.5])", "'%.2f'.format([1.005])", "'%.20f'.format([0.1])", "'%.100f'.format([0.1])", "'%.1000f'.format([0.1])", "'%.99999999999f'.format([0.1])", "'%e'.format([0.0])", "'%.1e'.format([9.96])", "'%e'.format([1e300])", "'%f'.format([1e300])"], // prettier-ignore
  ...["['a', 'b'].join()", "['a', 'b'].join('-')", "[].join()", "[].join('-')", "['a'].join('-')", "[1, 2].join('-')", "[dyn('a'), dyn(1)].join('-')", "ls.join(',')", "ld.join(',')", "['a'].join(1)", "['', ''].join('x')", "strings.quote('a')", "strings.quote('\"\\\\')", "strings.quote('\\n\\t\\r\\a\\b\\f\\v\\0')", "strings.quote('é𝒳')", "strings.quote('')", 'strings.quote(1)', 'strings.quote(dyn(1))', "strings.quote('\\u007f\\u0080')"], // prettier-ignore
  ...["'  a b\\t\\n'.trim()", "'\\u00a0\\u2003a\\u3000'.trim()", "'\\u200ba'.trim()", "'ÀÉ a'.lowerAscii()", "'àé A'.upperAscii()", "'aaa'.replace('a', 'b', 2)", "'aaaa'.replace('aa', 'b')", "'a,b,,c'.split(',')", "'a,b,,c'.split(',', 2)", "'𝒳𝒴'.split('')", "'abc'.split('', 2)", "'𝒳'.size()", "'e\\u0301'.size()", "size('𝒳')", "'hello'.substring(1, 1)", "'hello'.substring(3, 1)", "'a'.charAt(1)", "''.charAt(0)", "dyn('a').charAt(0)", "dyn(1).charAt(0)", "dyn('a').substring(dyn('b'))", "dyn(1).contains('a')", "dyn('a').startsWith(dyn(1))"], // prettier-ignore
  ...["'abc'.find('b')", "'abc'.find('z')", "'abc'.find('')", "'abc'.find('[')", "'abc'.find('[' + '')", "'abc 123 45'.findAll('[0-9]+')", "'abc 123 45'.findAll('[0-9]+', 1)", "'abc 123 45'.findAll('[0-9]+', 0)", "'abc 123 45'.findAll('[0-9]+', -1)", "'abc'.findAll('z')", "'abc'.findAll('')", "'abc'.findAll('x*')", "'abc'.findAll('(a)(b)')", "'abc'.findAll('[')", "s.find(s)", 's.find(1)', "dyn(s).find('e')", "dyn(1).find('e')", "'abc'.find('a', 1)", "'a.b'.matches('a\\\\.b')", "'a.b'.matches(r'a\\.b')", "matches('abc', 'b')", "matches('abc', s)", "'aaa'.matches('a{2}$')", "'x'.matches('a{1001}')", "'x'.matches('(?=a)')", "'x'.matches('(a)\\\\1')", "'x'.matches('(?P<n>x)')", "'x'.matches('(?<n>x)')", "'é'.matches('^.$')", "'𝒳'.matches('^.$')", "'\\n'.matches('.')", "'a\\nb'.matches('^b')", "'a\\nb'.matches('(?m)^b')", "'K'.matches('(?i)k')", "'α'.matches(r'\\p{Greek}')", "'a'.matches(r'\\pN')", "'a'.matches(r'\\pQ')", "'x'.matches('x**')", "'x'.matches('(')", "'x'.matches(')')", "'x'.matches('[z-a]')", "'x'.matches('x{2,1}')", "'x'.matches('\\\\')", "'x'.matches('[[:alpha:]]')", "'x'.matches('[[:nope:]]')", "'x'.matches('?')", "'x'.matches(r'\\Qx\\E')", "'x'.matches(r'\\C')", "'x'.matches(r'\\z')", "'x'.matches(r'\\Z')", "'x'.matches(r'\\8')", "'x'.matches('((((((((((x))))))))))')", "'x'.matches('(?i')", "'x'.matches('(?z)x')"], // prettier-ignore
]
