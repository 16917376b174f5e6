// npm run golden: every kind of the golden files in Debian's golang-k8s-api-dev through our codecs, in three formats. Nothing of the package is kept in the repository.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import type { ObjectSchema } from '#api'
import { decodeObject, encodeCbor, encodeMessage, parseCbor, readMessage, schemaOf, schemaOfType, sealed, unsealed } from '#api'

/** The release whose facts src/api/facts has; trixie's package is older. */
const suite = 'sid'
const name = 'golang-k8s-api-dev'

const directory = process.argv[2] ?? fetchGoldenFiles()
const failures: string[] = []
const kinds = readdirSync(directory)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
let passed = 0
for (const kind of kinds) {
  const problems = check(kind)
  if (problems.length === 0) passed++
  for (const problem of problems) failures.push(`${kind}: ${problem}`)
}
for (const failure of failures) console.log(failure)
console.log(`${passed} of ${kinds.length} kinds pass as JSON, YAML and protobuf, and come back from CBOR`)
process.exitCode = failures.length === 0 && kinds.length > 0 ? 0 : 1

/** What is wrong with a kind's three files, GROUP.VERSION.KIND.{json,yaml,pb}; nothing when all are as they should be. */
function check(kind: string): string[] {
  const file = (extension: string) => readFileSync(join(directory, `${kind}.${extension}`))
  const json = JSON.parse(file('json').toString()) as Record<string, unknown>
  // a WatchEvent is what watches send: it has no type meta of its own
  const schema = kind.endsWith('.WatchEvent')
    ? schemaOfType('k8s.io.apimachinery.pkg.apis.meta.v1', 'WatchEvent')
    : schemaOf(String(json['apiVersion']), String(json['kind']))
  if (!schema) return ['there is no schema']
  const problems: string[] = []
  const same = (what: string, value: unknown) => isDeepStrictEqual(value, json) || problems.push(`${what}: ${firstDifference(json, value)}`)
  const decoded = (value: unknown) => decodeObject(value as never, schema).object
  const yaml: unknown = parse(file('yaml').toString(), { version: '1.1' })
  same('JSON', decoded(structuredClone(json)))
  same('YAML', decoded(yaml))
  // there are no golden files of CBOR: it has to bring back what JSON has
  same('CBOR', decoded(parseCbor(encodeCbor(json))))
  const pb = file('pb')
  const { raw, ...type } = unsealed(pb)
  same('from protobuf', withType(json, readMessage(raw, schema)))
  const encoded = sealed(type, (writer) => writer.raw(encodeMessage(json, schema as ObjectSchema)))
  if (!encoded.equals(pb)) problems.push(`to protobuf: ${encoded.length} bytes, not the ${pb.length} expected`)
  return problems
}

function withType({ kind, apiVersion }: Record<string, unknown>, value: Record<string, unknown>): Record<string, unknown> {
  return kind === undefined ? value : { kind, apiVersion, ...value }
}

function firstDifference(expected: unknown, actual: unknown, path = ''): string {
  if (isDeepStrictEqual(expected, actual)) return ''
  if (typeof expected !== 'object' || typeof actual !== 'object' || !expected || !actual)
    return `${path || 'value'} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const found = firstDifference((expected as Record<string, unknown>)[key], (actual as Record<string, unknown>)[key], `${path}.${key}`)
    if (found) return found
  }
  return `${path} differs in its type`
}

/** Gets the package of the suite without touching the machine's own apt configuration; answers the folder of the newest golden files. */
function fetchGoldenFiles(): string {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'k8ts/golden')
  const golden = join(cache, 'files/usr/share/gocode/src/k8s.io/api/testdata/HEAD')
  if (existsSync(golden)) return golden
  mkdirSync(join(cache, 'lists/partial'), { recursive: true })
  mkdirSync(join(cache, 'archives/partial'), { recursive: true })
  const sources = join(cache, 'sources.list')
  // the mirror that this machine uses for its own release
  const mirrors = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Origin: Debian', 'Created-By: Packages'], { encoding: 'utf8' })
  const [mirror] = mirrors.split('\n')
  if (!mirror) throw new Error('apt knows no mirror of Debian: run `apt-get update` first, or give the folder of the golden files')
  writeFileSync(sources, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${suite} main\n`)
  const options = [`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=-', `Dir::State::lists=${join(cache, 'lists')}`, `Dir::Cache=${cache}`]
  const apt = (...args: string[]) =>
    execFileSync('apt-get', [...[...options, 'APT::Sandbox::User=root', 'Acquire::Languages=none'].flatMap((option) => ['-o', option]), ...args], {
      cwd: cache,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  apt('update')
  apt('download', name)
  const archive = readdirSync(cache).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))!
  execFileSync('dpkg-deb', ['-x', join(cache, archive), join(cache, 'files')])
  return golden
}
