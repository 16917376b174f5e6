import { lines } from './lines.ts'

const quantities = ['0', '1', '-1', '1.5', '0.1', '100m', '1500m', '1u', '1n', '0.1n', '1k', '1K', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei', '8Ei', '1E', '10E', '1e3', '1e-3', '1E3', '1.5Gi', '0.5Ki', '+5', ' 5', '5 ', '', '.', '.5', '5.', '1ki', '1mi', '1x', 'x', '1e', '1e+3', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '99999999999999999999', '1e30', '0.000000001', '0.0000000001', '1.23456789012345678901', '1Mi2', '0x10', 'NaN'] // prettier-ignore
const asked = ['sign()', 'isInteger()', 'asInteger()', 'asApproximateFloat()', "add(quantity('1'))", "sub(quantity('500m'))", 'add(1)', 'sub(1)', "compareTo(quantity('1'))", "isGreaterThan(quantity('100m'))", "isLessThan(quantity('1Ki'))"] // prettier-ignore

const addresses = ['10.0.0.1', '0.0.0.0', '127.0.0.1', '127.1.2.3', '169.254.1.1', '224.0.0.1', '224.0.1.1', '255.255.255.255', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.04', '::', '::1', '::ffff:1.2.3.4', '::ffff:0102:0304', 'fe80::1', 'fe80::1%eth0', 'ff02::1', 'ff05::1', 'FE80::ABCD', '2001:db8::1', '2001:db8:0:0:0:0:0:1', '2001:0db8::1', '2001:db8::g', '1::2::3', ':::', '', ' ', '10.0.0.1/8', 'x', '1', '0x7f.1', '64:ff9b::1.2.3.4', '::1.2.3.256', '10.0.0.1 '] // prettier-ignore
const ranges = ['10.0.0.0/8', '10.1.2.3/8', '0.0.0.0/0', '1.2.3.4/32', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/08', '1.2.3.4/+8', '1.2.3.4/', '1.2.3.4', '/8', '::/0', '::1/128', '::1/129', '2001:db8::/32', '2001:db8::1/32', 'FE80::/10', 'fe80::%eth0/10', '::ffff:1.2.3.4/104', '::ffff:1.2.3.4/24', '01.2.3.4/8', '', 'x/8', '10.0.0.0/8/8', '10.0.0.0/a'] // prettier-ignore
const urls = ['https://example.com', 'http://user:pass@example.com:80/a/b?x=1&x=2&y=a%20b#frag', '/path', '/path with space', '/a%2Fb', '/a%zz', 'relative', '', '*', 'http://', 'http:///x', 'http:opaque', 'mailto:a@b.c', 'https://[::1]:443/x', 'https://[::1', 'https://[fe80::1%25eth0]/', 'http://a:b', 'http://a:99999', 'http://a:', 'http://a b/', 'http://a/?', 'http://a/?x', 'http://a/?x=&=y&&z=1;2', 'http://a/?%zz=1', 'http://a/?a+b=c+d', '://x', '1http://x', 'HTTP://Example.COM/', 'http://é.com/ü', 'http://%41.com/', 'http://a#', 'http://a/\\n', 'file:///etc/passwd', 'urn:x:y', '//host/path', '/?q', 'http://a/b c', 'http://a/%20', 'http://a/;x=1', "http://a/b'c", 'http://a/%E2%82%AC', 'http://a/[x]', 'https://example.com:/', 'http://us%65r@h/', 'http://us er@h/', 'http://a/b?c?d#e#f'] // prettier-ignore
const versions = ['1.2.3', '0.0.0', '1.2', '1', 'v1.2.3', 'v1.2', '1.2.3-alpha', '1.2.3-alpha.1', '1.2.3-alpha.01', '1.2.3+build', '1.2.3-a+b', '1.2.3-', '1.2.3+', '01.2.3', '1.02.3', '1.2.3.4', '', 'x', '1.2.x', ' 1.2.3', '1.2.3 ', '-1.2.3', '18446744073709551615.0.0', '18446744073709551616.0.0', '9223372036854775808.0.0', '1.2.3-é', '1.2.3-a..b', '1.2.3+a..b', '1.2.3--', 'V1.2.3', '001.002.003', '1.2.3-0', '1.0.0-rc.1', 'v'] // prettier-ignore
const formats = ['dns1123Label', 'dns1123Subdomain', 'dns1035Label', 'qualifiedName', 'dns1123LabelPrefix', 'dns1123SubdomainPrefix', 'dns1035LabelPrefix', 'labelValue', 'uri', 'uuid', 'byte', 'date', 'datetime'] // prettier-ignore
const formatted = ['', 'a', 'abc-1', 'Abc', '-a', 'a-', 'a.b', 'a..b', '1a', 'a/b', 'example.com/name', 'a/b/c', '/a', 'a/', 'a_b', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(254), 'é', 'a b', 'http://example.com', '/path', '123e4567-e89b-12d3-a456-426614174000', '123e4567e89b12d3a456426614174000', '123E4567-E89B-12D3-A456-426614174000', 'aGVsbG8=', 'aGVsbG8', 'a===', '2026-01-02', '2026-02-30', '2026-1-2', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.5+01:00', '2026-01-02t03:04:05z', '2026-01-02 03:04:05', '2026-01-02T25:00:00Z'] // prettier-ignore

export const kubernetes = [
  ...quantities.flatMap((text) => [`isQuantity('${text}')`, `quantity('${text}')`]),
  ...quantities.slice(0, 30).flatMap((text) => asked.map((call) => `quantity('${text}').${call}`)),
  ...['99999999999999999999', '1e30', '9223372036854775807', '9223372036854775808', '0.0000000001', '1.23456789012345678901'].flatMap((text) =>
    asked.map((call) => `quantity('${text}').${call}`),
  ),
  ...lines('kubernetes'),
  ...addresses.flatMap((text) => [`isIP('${text}')`, `ip('${text}')`, `ip.isCanonical('${text}')`]),
  ...addresses
    .slice(0, 23)
    .flatMap((text) =>
      ['family()', 'isUnspecified()', 'isLoopback()', 'isLinkLocalMulticast()', 'isLinkLocalUnicast()', 'isGlobalUnicast()'].map(
        (call) => `ip('${text}').${call}`,
      ),
    ),
  ...ranges.flatMap((text) => [`isCIDR('${text}')`, `cidr('${text}')`]),
  ...ranges.slice(0, 4).flatMap((text) => ['ip()', 'prefixLength()', 'masked()', "containsIP('10.9.9.9')", "containsIP(ip('::1'))", "containsIP('x')", "containsCIDR('10.1.0.0/16')", "containsCIDR('10.0.0.0/7')", "containsCIDR(cidr('::/0'))", "containsCIDR('x')", "containsCIDR('10.0.0.1/8')"].map((call) => `cidr('${text}').${call}`)), // prettier-ignore
  ...['::/0', '2001:db8::1/32'].flatMap((text) => ['ip()', 'prefixLength()', 'masked()', "containsIP('2001:db8::9')", "containsIP('10.0.0.1')", "containsIP('::ffff:10.0.0.1')", "containsCIDR('2001:db8:1::/48')", "containsCIDR('10.0.0.0/8')"].map((call) => `cidr('${text}').${call}`)), // prettier-ignore
  ...urls.flatMap((text) => [`isURL('${text}')`, `url('${text}')`]),
  ...urls.slice(0, 5).concat(urls.slice(13, 14), urls.slice(19, 30), urls.slice(34)).flatMap((text) => ['getScheme()', 'getHost()', 'getHostname()', 'getPort()', 'getEscapedPath()', 'getQuery()'].map((call) => `url('${text}').${call}`)), // prettier-ignore
  ...versions.flatMap((text) => [`isSemver('${text}')`, `semver('${text}')`, `isSemver('${text}', true)`, `semver('${text}', true)`]),
  ...['1.2.3', '1.2.3-alpha', '1.2.3+build', '18446744073709551615.0.0', '9223372036854775808.0.0', '1.0.0-rc.1'].flatMap((text) => ['major()', 'minor()', 'patch()', "compareTo(semver('1.2.3'))", "isGreaterThan(semver('1.2.3-beta'))", "isLessThan(semver('1.2.3-alpha.1'))", "compareTo(semver('1.0.0-rc.10'))"].map((call) => `semver('${text}').${call}`)), // prettier-ignore
  ...formats.flatMap((name) => [
    ...formatted.map((text) => `format.${name}().validate('${text}')`),
    `format.named('${name}')`,
    `format.${name}()`,
    `format.${name}`,
  ]),
]
