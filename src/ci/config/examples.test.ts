import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileFor, outline, problemLines } from './testing.ts'
import type { Trigger } from './testing.ts'

interface Runs extends Trigger {
  name: string
  file: string
  /** Workflows and jobs, with steps unless `jobs` is asked for. */
  runs: string[]
  detail?: 'jobs'
  warnings?: string[]
}

const folder = join(import.meta.dirname, 'examples')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

const working: Runs[] = [
  { name: 'the smallest configuration runs its job build', file: 'hello.yml', runs: ['workflow', '  build', '    checkout', '    run echo hello'] },
  {
    name: 'version 2 knows no expressions',
    file: 'version-2.yml',
    runs: ['commit', '  build', '    checkout', '    run cat <<EOT >> notes\n<< parameters.nothing >>\nEOT', '  test < build', '    run make test'],
  },
  {
    name: 'services stand beside the image that runs the steps',
    file: 'services.yml',
    detail: 'jobs',
    runs: ['main', '  integration'],
    warnings: ['7 the user "node" has no effect: what a name stands for only the image knows; give its number, such as 1000 or 1000:1000'],
  },
  {
    name: 'anchors, aliases and merge keys',
    file: 'anchors.yml',
    runs: [
      'main',
      '  lint',
      '    checkout',
      '    run npm ci',
      '    run npm run lint',
      '  test < lint',
      '    checkout',
      '    run npm ci',
      '    run npm test',
    ],
  },
  { name: 'a filter that came by a merge key holds', file: 'anchors.yml', branch: 'other', detail: 'jobs', runs: ['main', '  lint'] },
  {
    name: 'commands in commands, and steps as parameters',
    file: 'commands.yml',
    runs: [
      'main',
      '  build',
      '    checkout',
      '    run git log -1',
      '    run for i in $(seq 1); do echo "Hello, world"; done',
      '    run for i in $(seq 3); do echo "Hello, you"; done',
      '    run echo HELLO',
      '    run echo before',
      '    run echo after',
      '    run echo before',
      '    run for i in $(seq 1); do echo "Hello, inside"; done',
      '    run echo before',
      '    run echo deep',
      '    run echo after',
      '    run echo after',
    ],
  },
  {
    name: 'executors by name, by map and as parameters',
    file: 'executors.yml',
    detail: 'jobs',
    runs: ['main', '  test', '  test-vm', '  test-large', '  own-image'],
    warnings: ['21 the machine image "debian-12:current" has no effect: machines run the tool image; say image: default'],
  },
  {
    name: 'a matrix without what it excludes, required as a whole and one by one',
    file: 'matrix.yml',
    detail: 'jobs',
    runs: [
      'all',
      '  test-postgres-20.1',
      '  test-postgres-22.0',
      '  test-mariadb-22.0',
      '  deploy-v20.1 < test-postgres-20.1',
      '  deploy-v22.0 < test-postgres-22.0',
      '  report < test-postgres-20.1, test-postgres-22.0, test-mariadb-22.0, deploy-v20.1, deploy-v22.0',
    ],
  },
  {
    name: 'filters on the branch main',
    file: 'filters.yml',
    detail: 'jobs',
    runs: ['main', '  everywhere', '  main-only', '  no-docs', '  both', '  publish < main-only', '  by-expression'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'a pattern matches the whole name of a branch: docs-x is ignored, docs is not',
    file: 'filters.yml',
    branch: 'docs',
    detail: 'jobs',
    runs: ['main', '  everywhere', '  no-docs'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'what requires only jobs that do not run does not run either',
    file: 'filters.yml',
    branch: 'docs-more',
    detail: 'jobs',
    runs: ['main', '  everywhere'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'a branch with a slash',
    file: 'filters.yml',
    branch: 'release/1.2',
    detail: 'jobs',
    runs: ['main', '  everywhere', '  no-docs', '  both'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'for a tag only what asks for it runs',
    file: 'filters.yml',
    tag: 'v1.2',
    detail: 'jobs',
    runs: ['main', '  release', '  publish < release', '  by-expression'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'a tag that one pattern matches as a whole, and the other does not',
    file: 'filters.yml',
    tag: 'v1.2-beta',
    detail: 'jobs',
    runs: ['main', '  by-expression'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'no job runs for a tag that nothing asks for',
    file: 'filters.yml',
    tag: 'v0',
    detail: 'jobs',
    runs: ['main', '  release', '  publish < release'],
    warnings: ['34 "ignore" has no effect beside "only"'],
  },
  {
    name: 'approvals, no-op jobs and statuses of requirements',
    file: 'approval.yml',
    detail: 'jobs',
    runs: [
      'release',
      '  build',
      '  hold (approval) < build',
      '  deploy < hold',
      '  clean-up < deploy:failed|canceled',
      '  all-done (no-op) < deploy, clean-up:success|failed|canceled|not_run|unauthorized',
    ],
  },
  { name: 'conditions on main', file: 'conditions.yml', runs: ['commit', '  build', '    run make', '    run echo "on main, number 7"'] },
  { name: 'conditions on another branch', file: 'conditions.yml', branch: 'other', runs: ['commit', '  build', '    run make'] },
  {
    name: 'conditions with a parameter of the trigger, given as text',
    file: 'conditions.yml',
    branch: 'other',
    parameters: { nightly: 'true' },
    runs: ['nightly', '  build', '    run make debug'],
  },
  {
    name: 'an expression as the condition of a workflow',
    file: 'conditions.yml',
    parameters: { target: 'production', 'image-tag': 'x' },
    runs: ['commit', '  build', '    run make', 'release', '  build for production', '    run make'],
  },
  {
    name: 'every step there is',
    file: 'steps.yml',
    runs: [
      'main',
      '  everything',
      '    checkout',
      '    setup_remote_docker',
      '    restore_cache v1-{{ arch }}-{{ .Branch }}-{{ checksum "package-lock.json" }} | v1-{{ arch }}-{{ .Branch }}- | v1-{{ arch }}-',
      '    attach_workspace /tmp/workspace',
      '    run npm ci && npm run build',
      '    [on_fail] run ./tell',
      '    [always] run ./coverage',
      '    [always] save_cache v1-{{ arch }}-{{ .Branch }}-{{ checksum "package-lock.json" }}',
      '    persist_to_workspace .: dist/*',
      '    store_artifacts dist',
      '    store_test_results reports',
    ],
  },
  {
    name: 'an inline orb has its own names, and steps that it is handed have those of the file',
    file: 'inline-orb.yml',
    runs: [
      'main',
      '  build',
      '    run make',
      "    run echo the file's own post",
      '    run ./post "done (7)"',
      '  slack/say < build',
      '    run ./post "built (7)"',
    ],
  },
  {
    name: 'steps before and after a job, and numbers for a job that stands there twice',
    file: 'pre-post.yml',
    runs: [
      'main',
      '  test-1',
      '    run date +"start of c0ffee %s"',
      '    run make unit',
      '    run date +"end %s"',
      '    store_artifacts out',
      '  test-2',
      '    run make integration',
      '  browser',
      '    run make browser',
    ],
  },
  {
    name: 'brackets that are no expressions',
    file: 'escapes.yml',
    runs: [
      'main',
      '  build',
      '    run cat <<EOT > script\necho "<< parameters.kept >> 7"\nEOT',
      '    run cat <<EOT >> notes',
      '    run echo $((1 << 4)) $((256 >> 2))',
      '    run echo true',
    ],
  },
  {
    name: 'names of variables as parameters',
    file: 'env-var-name.yml',
    runs: ['main', '  publish', '    run echo "$REGISTRY_PASSWORD" | docker login -u "${OTHER_USER}" --password-stdin'],
  },
  {
    name: 'the article on master: nothing is deployed',
    file: 'article.yml',
    branch: 'master',
    detail: 'jobs',
    runs: ['build-test-deploy', '  build', '  test < build'],
  },
  {
    name: 'the article on production',
    file: 'article.yml',
    branch: 'production',
    detail: 'jobs',
    runs: ['build-test-deploy', '  build', '  test < build', '  deploy < test'],
  },
  { name: 'the article on any other branch: nothing', file: 'article.yml', branch: 'feature', runs: [] },
]

/** Each problem as the line it is in and a part of what is said. */
const refused: { name: string; file: string; says: [line: number, part: string][] }[] = [
  {
    name: 'orbs of the registry, and nothing more about what uses them',
    file: 'refused-orbs.yml',
    says: [
      [3, 'the orb "node" (circleci/node@5.2.0) is not supported'],
      [4, 'the orb "slack" (circleci/slack@4.13) is not supported'],
    ],
  },
  {
    name: 'machines that a cluster does not have',
    file: 'refused-machines.yml',
    says: [
      [4, '"macos" is not supported'],
      [8, '"macos" is not supported'],
      [14, 'the machine image "windows-server-2022-gui:current" is not supported'],
      [15, 'the resource class "windows.medium" is not supported'],
      [21, 'the resource class "arm.medium" is not supported'],
      [26, 'the resource class "acme/runner" is not supported'],
      [32, '"aws_auth" is not supported'],
      [
        34,
        'the resource class "mediun" is not supported: there is small, medium, medium+, large, xlarge, 2xlarge, 2xlarge+ (did you mean "medium"?)',
      ],
      [35, '"circleci_ip_ranges" is not supported'],
      [37, 'the step "deploy" is not supported'],
      [39, 'the step "add_ssh_keys" is not supported'],
    ],
  },
  {
    name: 'schedules, dynamic configuration and automatic reruns',
    file: 'refused-scheduled.yml',
    says: [
      [2, '"setup" is not supported'],
      [11, '"max_auto_reruns" is not supported'],
      [12, '"triggers" is not supported'],
    ],
  },
  {
    name: 'misspelt names, each with the one that was meant',
    file: 'wrong-names.yml',
    says: [
      [11, 'the parameter "manger" is not declared here (did you mean "manager"?)'],
      [14, 'there is no executor "nod" (did you mean "node"?)'],
      [16, 'there is no step or command "chekout" (did you mean "checkout"?)'],
      [17, 'there is no step or command "instal" (did you mean "install"?)'],
      [19, 'the step "run" has no key "comand" (did you mean "command"?)'],
      [22, 'the command "install" has no parameter "verbose"; it has manager'],
      [23, 'the command "install" needs the parameter "manager" (string)'],
      [27, 'the job "unused" has no key "enviroment" (did you mean "environment"?)'],
      [31, 'a configuration has no key "workflow" (did you mean "workflows"?)'],
      [37, 'there is no job "biuld" (did you mean "build"?)'],
      [39, 'there is no job "tset" in this workflow'],
    ],
  },
  {
    name: 'values of wrong types',
    file: 'wrong-types.yml',
    says: [
      [5, 'the default of the parameter "retries" must be a whole number, not the text "many"'],
      [10, 'the default of the parameter "level" must be one of low, high, not the text "middle"'],
      [11, 'the default of the parameter "fast" must be true or false, not the text "yes"'],
      [13, 'the default of the parameter "key" must be the name of a variable'],
      [14, 'a job may not have a parameter "name"'],
      [17, '"parallelism" must be a number from 1 to 256, not the number 0'],
      [19, '"environment" must be a map of names and values, not a list'],
      [21, '<< parameters.after >> is a list: it cannot stand inside a text'],
      [24, '"when" of the step "run" must be on_success, on_fail, always, not the text "on_failure"'],
      [25, '"no_output_timeout" of the step "run" must be a time such as 30s, 20m or 1.5h, not "10"'],
      [27, 'if "when" belongs to "run", indent it further'],
      [29, 'the cache key has no value "{{ checksum package-lock.json }}"'],
      [30, '"paths" of the step "save_cache" must be a list of texts'],
      [33, '"../up" must be a path below the workspace\'s root'],
      [38, 'the parameter "version" of the job "test" must be a text, not the number 3.10; put it in quotes: "3.10"'],
      [39, 'the parameter "fast" of the job "test" must be true or false, not the text "maybe"'],
    ],
  },
  {
    name: 'rings of commands and jobs, and names that are taken',
    file: 'wrong-graph.yml',
    says: [
      [20, 'the command "one" calls itself: one → two → one'],
      [24, 'these jobs wait for one another: a → c → b → a'],
      [29, 'these jobs wait for one another: a → a'],
      [33, 'the name "a" is taken by the job in line 32'],
      [36, '"c" stands 2 times in this workflow'],
    ],
  },
  {
    name: 'matrices that are too large, empty, or do not fit their job',
    file: 'wrong-matrix.yml',
    says: [
      [10, "<< matrix.a >> has a value only in a workflow's job that has a matrix"],
      [15, 'the matrix makes 144 jobs; it may make 128'],
      [21, 'the name "always-the-same" is taken by the job in line 21; put << matrix.NAME >> into it'],
      [31, 'the parameter "a" of the job "test" must be a whole number, not the text "two"'],
      [32, 'the job "test" has no parameter "c"; it has a, b'],
      [34, 'the matrix has no parameter "d"; it has a, c'],
      [38, 'the parameter "a" is given here and by the matrix'],
      [45, 'the matrix excludes all of its jobs'],
    ],
  },
  {
    name: 'patterns and expressions that are none',
    file: 'wrong-patterns.yml',
    says: [
      [15, 'lookahead and lookbehind are not supported'],
      [16, 'not a regular expression'],
      [17, '"/open" is no name of a branch or tag, nor a regular expression between two "/"'],
      [21, '"filters" has no key "branch" (did you mean "branches"?)'],
      [25, 'not an expression: "=" is no operator'],
      [28, 'the pipeline value "pipeline.git.brunch" is not supported (did you mean "pipeline.git.branch"?)'],
      [28, '"main" is no value; put texts in quotes'],
    ],
  },
  { name: 'what is not YAML', file: 'wrong-yaml.yml', says: [[6, 'not YAML: Tabs are not allowed as indentation']] },
  {
    name: 'keys that stand there twice, and an alias of nothing',
    file: 'wrong-duplicates.yml',
    says: [
      [8, 'the alias *nowhere has no anchor &nowhere above it'],
      [9, '"docker" stands here twice; the first is in line 4'],
      [11, '"build" stands here twice; the first is in line 3'],
    ],
  },
]

for (const { name, file, runs, detail, warnings, ...trigger } of working) {
  test(`${file}: ${name}`, () => {
    const result = compileFor(read(file), trigger)
    assert.deepEqual(problemLines(result), [])
    assert.ok(result.ok)
    assert.deepEqual(outline(result.config, detail), runs)
    assert.deepEqual(
      result.warnings.map(({ line, message }) => `${line} ${message}`),
      warnings ?? [],
    )
  })
}

for (const { name, file, says } of refused) {
  test(`${file} is refused for ${name}`, () => {
    const result = compileFor(read(file))
    assert.ok(!result.ok)
    assert.deepEqual(
      result.problems.map(({ line }) => line),
      says.map(([line]) => line),
      problemLines(result).join('\n'),
    )
    for (const [index, [, part]] of says.entries())
      assert.ok(result.problems[index]!.message.includes(part), `${result.problems[index]!.message}\nshould say: ${part}`)
  })
}

test('every example stands in the tables', () => {
  const tables = new Set([...working, ...refused].map(({ file }) => file))
  assert.deepEqual(
    readdirSync(folder).filter((file) => !tables.has(file)),
    [],
  )
})
