import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CompiledJob, CompiledStep } from './compiled.ts'
import { compileFor, outline, problemLines } from './testing.ts'
import type { Trigger } from './testing.ts'

const example = (file: string) => readFileSync(join(import.meta.dirname, 'examples', file), 'utf8')

function jobOf(text: string, name: string, trigger?: Trigger): CompiledJob {
  const result = compileFor(text, trigger)
  assert.deepEqual(problemLines(result), [])
  assert.ok(result.ok)
  const job = result.config.workflows.flatMap((workflow) => workflow.jobs).find((each) => each.name === name)?.job
  assert.ok(job, `no job ${name} in ${outline(result.config, 'jobs').join('\n')}`)
  return job
}

/** A configuration with one job of these steps. */
const withSteps = (steps: string, more = '') =>
  `version: 2.1\n${more}jobs:\n  build:\n    docker:\n      - image: a:1\n    steps:\n${steps.replaceAll(/^/gm, '      ')}\n`

const stepsOf = (text: string, trigger?: Trigger): CompiledStep[] => jobOf(text, 'build', trigger).steps

test('images, services and variables are compiled in full', () => {
  const { steps, ...job } = jobOf(example('services.yml'), 'integration')
  assert.deepEqual(job, {
    base: 'integration',
    executor: {
      type: 'docker',
      images: [
        { image: 'registry.local/node:22', user: 'node', environment: {}, auth: { username: 'ci', password: '$REGISTRY_PASSWORD' } },
        {
          image: 'registry.local/postgres:16',
          name: 'db',
          environment: { POSTGRES_USER: 'app', POSTGRES_HOST_AUTH_METHOD: 'trust', POSTGRES_PORT: '5432' },
        },
        {
          image: 'registry.local/redis@sha256:54057dd7e125ca41afe526a877e8bd35ec2cdd33b9217e022ed37bdcf7d09673',
          name: 'cache',
          command: ['redis-server', '--save', '', '--appendonly', 'no'],
          environment: {},
        },
        { image: 'registry.local/mail:1', entrypoint: ['mailpit', '--smtp', '0.0.0.0:1025'], environment: {} },
      ],
      resourceClass: 'large',
    },
    environment: { DATABASE_URL: 'postgres://app@db:5432/app', DEBUG: 'yes', VERSION: '3.10', EMPTY: '' },
    workingDirectory: '/srv/app',
    shell: '/bin/bash -eo pipefail',
    parallelism: 3,
  })
  assert.deepEqual(steps[0], {
    type: 'checkout',
    name: 'Checkout code',
    when: 'on_success',
    source: { file: 'config.yml', line: 32 },
    path: 'source',
    method: 'full',
  })
  const [, wait, server, integration] = steps
  assert.equal(wait?.name, 'Wait for the database')
  assert.deepEqual(server, {
    type: 'run',
    name: 'Server',
    when: 'on_success',
    source: { file: 'config.yml', line: 43 },
    command: 'npm start',
    environment: {},
    workingDirectory: 'source',
    background: true,
    noOutputTimeout: 600_000,
  })
  assert.deepEqual(integration, {
    type: 'run',
    name: 'npm run integration',
    when: 'on_success',
    source: { file: 'config.yml', line: 48 },
    command: 'npm run integration',
    shell: '/bin/sh',
    environment: { NODE_ENV: 'test' },
    background: false,
    noOutputTimeout: 5_400_000,
  })
})

test('a job without more has the defaults', () => {
  const { steps, ...job } = jobOf(example('hello.yml'), 'build')
  assert.equal(steps.length, 2)
  assert.deepEqual(job, {
    base: 'build',
    executor: { type: 'docker', images: [{ image: 'registry.local/debian:12', environment: {} }], resourceClass: 'medium' },
    environment: {},
    workingDirectory: '~/project',
    parallelism: 1,
  })
})

test('a job’s keys win over its executor’s, variables are added', () => {
  const text = example('executors.yml')
  const test1 = jobOf(text, 'test')
  assert.deepEqual(test1.executor, { type: 'docker', images: [{ image: 'registry.local/node:22', environment: {} }], resourceClass: 'small' })
  assert.deepEqual(test1.environment, { FROM: 'job', TAG: '22' })
  assert.deepEqual(jobOf(text, 'test-vm').executor, {
    type: 'machine',
    image: 'debian-12:current',
    resourceClass: 'medium',
    dockerLayerCaching: true,
  })
  assert.equal(jobOf(text, 'test-vm').shell, '/bin/bash')
  const large = jobOf(text, 'test-large').executor
  assert.deepEqual(large, { type: 'docker', images: [{ image: 'registry.local/node:24', environment: {} }], resourceClass: 'large' })
  const own = jobOf(text, 'own-image')
  assert.deepEqual(own.executor, { type: 'docker', images: [{ image: 'registry.local/debian:12', environment: {} }], resourceClass: 'small' })
  assert.deepEqual(own.environment, { FROM: 'executor', TAG: '20' })
})

test('contexts and serial groups come with the job', () => {
  const result = compileFor(example('approval.yml'))
  assert.ok(result.ok)
  const [build, hold, deploy] = result.config.workflows[0]!.jobs
  assert.deepEqual(build?.contexts, ['shared'])
  assert.deepEqual([hold?.type, hold?.job], ['approval', undefined])
  assert.deepEqual(deploy?.contexts, ['shared', 'production'])
  assert.equal(deploy?.serialGroup, 'git/deploy')
})

test('a boolean parameter is 1 or 0 in a variable, true or false in a text', () => {
  const [first, second] = stepsOf(example('commands.yml')).filter((step) => step.name.startsWith('Greet'))
  assert.equal(first?.type === 'run' && first.environment.LOUD, '0')
  assert.equal(second?.type === 'run' && second.environment.LOUD, '1')
  const flag = 'parameters:\n  flag: { type: boolean, default: true }\n'
  assert.deepEqual(outline2(withSteps('- run: echo << pipeline.parameters.flag >>', flag)), ['run echo true'])
})

const outline2 = (text: string, trigger?: Trigger) => stepsOf(text, trigger).map((step) => (step.type === 'run' ? `run ${step.command}` : step.type))

test('a step’s place is where it is written, inside the command', () => {
  const places = stepsOf(example('commands.yml')).map(({ source }) => source.line)
  assert.deepEqual(places.slice(0, 4), [7, 8, 21, 21])
})

test('pipeline values', () => {
  const text = withSteps(
    '- run: << pipeline.id >> << pipeline.number >> << pipeline.git.branch >> [<< pipeline.git.tag >>] << pipeline.trigger_source >> << pipeline.project.git_url >>',
  )
  assert.deepEqual(outline2(text), ['run p-1 7 main [] webhook https://git.local/blog/app'])
})

test('values that only some pipelines have are known when they are given', () => {
  const text = withSteps('- run: << pipeline.trigger_parameters.webhook.body >> << pipeline.git.branch.is_default >>')
  assert.equal(problemLines(compileFor(text)).length, 2)
  const git = { branch: 'main', revision: 'c0ffee', defaultBranch: 'main' }
  assert.deepEqual(outline2(text, { pipeline: { git, values: { 'trigger_parameters.webhook.body': 'hi' } } }), ['run hi true'])
})

test('what a trigger gives is checked against what is declared', () => {
  const parameters = 'parameters:\n  count: { type: integer, default: 1 }\n  level: { type: enum, enum: [low, high], default: low }\n'
  const text = withSteps('- run: << pipeline.parameters.count >> << pipeline.parameters.level >>', parameters)
  assert.deepEqual(outline2(text), ['run 1 low'])
  assert.deepEqual(outline2(text, { parameters: { count: '3', level: 'high' } }), ['run 3 high'])
  assert.deepEqual(problemLines(compileFor(text, { parameters: { count: 'many', levl: 'high' } })), [
    '2:1 the trigger gives the parameter "levl", which is not declared under "parameters" (did you mean "level"?)',
    '3:3 the value that the trigger gives for "count" must be a whole number, not the text "many"',
  ])
})

const rows: { name: string; text: string; says: string[] }[] = [
  { name: 'an empty file', text: '', says: ['1:1 a configuration is a map that begins with "version: 2.1", not empty'] },
  { name: 'a list', text: '- a', says: ['1:1 a configuration is a map that begins with "version: 2.1", not a list'] },
  { name: 'no version', text: 'jobs: {}', says: ['1:1 a configuration begins with "version: 2.1", and this one has no "version"'] },
  { name: 'version 1', text: 'version: 1', says: ['1:10 the version must be 2.1 (or 2), not the number 1'] },
  {
    name: 'nothing to run',
    text: 'version: 2.1',
    says: ['1:1 there is nothing to run: the configuration has no "workflows", and no job "build" that would run without'],
  },
  {
    name: 'what version 2 does not have',
    text: 'version: 2\ncommands: {}\njobs: {build: {machine: true, steps: [checkout]}}',
    says: ['2:1 "commands" needs "version: 2.1"'],
  },
  {
    name: 'a docker engine in a machine',
    text: 'version: 2.1\njobs: {build: {machine: true, steps: [\n  setup_remote_docker]}}',
    says: ['3:1 the job "build" runs in a machine, which has Docker; "setup_remote_docker" is for jobs in docker'],
  },
  {
    name: 'an unclosed expression',
    text: withSteps('- run: echo << pipeline.number'),
    says: ['7:19 the expression that begins with "<< pipeline.number" has no ">>"'],
  },
  {
    name: 'a section of old',
    text: withSteps('- run: echo <<# pipeline.number >>x<</ pipeline.number >>'),
    says: [
      '7:19 the section << # pipeline.number >> is not supported: write a "when" step, or an expression',
      '7:42 the section << / pipeline.number >> is not supported: write a "when" step, or an expression',
    ],
  },
  {
    name: 'a name without its namespace',
    text: withSteps('- run: echo << tag >>'),
    says: ['7:19 "tag" has no value: names begin with parameters, pipeline or matrix'],
  },
  {
    name: 'a problem in a block text, in its line',
    text: withSteps('- run: |\n    one\n    two << parameters.x >>'),
    says: ['9:1 << parameters.x >>: the parameter "x" is not declared here'],
  },
  {
    name: 'a step that is not there',
    text: withSteps('- checkouts'),
    says: ['7:9 there is no step or command "checkouts" (did you mean "checkout"?)'],
  },
  {
    name: 'an orb that is not declared',
    text: withSteps('- node/install'),
    says: ['7:9 "node/install" belongs to an orb "node" that is not declared under "orbs"'],
  },
  {
    name: 'a mistake in steps that do not run',
    text: withSteps('- when:\n    condition: false\n    steps:\n      - chekout'),
    says: ['10:15 there is no step or command "chekout" (did you mean "checkout"?)'],
  },
  {
    name: 'a logic statement of two keys',
    text: withSteps('- when:\n    condition: {and: [true], or: [true]}\n    steps: [checkout]'),
    says: ['8:22 a logic statement has one key of and, or, not, equal, matches'],
  },
  {
    name: 'a logic statement of nothing',
    text: withSteps('- when:\n    condition: {and: []}\n    steps: [checkout]'),
    says: ['8:28 "and" takes a list of at least one logic statement, not an empty list'],
  },
  {
    name: 'a wrong variable',
    text: withSteps('- run:\n    command: x\n    environment:\n      A-B: c\n      D: [e]'),
    says: [
      '10:13 "A-B" is no name for a variable: letters, digits and "_", not beginning with a digit',
      '11:16 the variable D must be a text, not a list',
    ],
  },
  {
    name: 'two places to run in',
    text: 'version: 2.1\njobs:\n  build:\n    machine: true\n    docker: [{image: a}]\n    steps: [checkout]',
    says: ['4:5 the job "build" has both "docker" and "machine"; it runs in one of them'],
  },
  {
    name: 'no place to run in',
    text: 'version: 2.1\njobs:\n  build:\n    steps: [checkout]',
    says: ['3:3 the job "build" does not say where it runs; it needs "docker", "machine" or "executor"'],
  },
  {
    name: 'a release job',
    text: 'version: 2.1\njobs:\n  build:\n    type: release',
    says: [
      '3:3 the job "build" does not say where it runs; it needs "docker", "machine" or "executor"',
      '3:3 the job "build" needs "steps"',
      '4:11 jobs of type release are not supported: they belong to a service of CircleCI; deploy in a "run" step',
    ],
  },
  {
    name: 'an approval that has a job’s name',
    text: `${withSteps('- checkout')}workflows:\n  w:\n    jobs:\n      - build: {type: approval}`,
    says: ['11:17 "build" is an approval here and a job under "jobs" (line 3); give the approval another name'],
  },
  {
    name: 'pipeline parameters in an orb',
    text: 'version: 2.1\nparameters: {a: {type: string, default: x}}\norbs:\n  o:\n    jobs:\n      j:\n        machine: true\n        steps: [{run: << pipeline.parameters.a >>}]\nworkflows: {w: {jobs: [o/j]}}',
    says: ["8:23 << pipeline.parameters.a >>: an orb does not see the pipeline's parameters; hand it over as a parameter"],
  },
  {
    name: 'a serial group of strange letters',
    text: `${withSteps('- checkout')}workflows:\n  w:\n    jobs:\n      - build: {serial-group: "a b"}`,
    says: ['11:31 "serial-group" has up to 512 letters, digits, ".", "-", "_" and "/"'],
  },
  { name: 'a tag of YAML', text: withSteps('- run: !secret x'), says: ['7:22 the tag !secret is not supported'] },
]

for (const { name, text, says } of rows) test(`refused with its place: ${name}`, () => assert.deepEqual(problemLines(compileFor(text)), says))

test('parameters that nothing uses, and conditions that are always true, are warned of', () => {
  const parameters =
    'commands:\n  c:\n    parameters:\n      p: { type: string, default: "" }\n    steps: [checkout]\nparameters:\n  a: { type: boolean, default: false }\n  b: { type: boolean, default: false }\n'
  const result = compileFor(
    withSteps('- c\n- when:\n    condition: << pipeline.parameters.a >> and << pipeline.parameters.b >>\n    steps: [checkout]', parameters),
  )
  assert.ok(result.ok)
  assert.deepEqual(
    result.warnings.map(({ line, message }) => `${line} ${message}`),
    [
      '5 the parameter "p" of the command "c" is not used',
      '17 this became the text "false and false", which is always true: put the whole condition into one pair of << >>',
    ],
  )
})

test('a parameter’s value is not looked through again', () => {
  const command = 'commands:\n  say:\n    parameters:\n      text: { type: string }\n    steps:\n      - run: echo << parameters.text >>\n'
  assert.deepEqual(outline2(withSteps('- say:\n    text: \\<< parameters.text >>', command)), ['run echo << parameters.text >>'])
})

test('a command may be called from the steps that it is handed', () => {
  const command =
    'commands:\n  twice:\n    parameters:\n      do: { type: steps }\n    steps:\n      - steps: << parameters.do >>\n      - steps: << parameters.do >>\n'
  assert.deepEqual(outline2(withSteps('- twice:\n    do:\n      - twice:\n          do:\n            - checkout', command)), [
    'checkout',
    'checkout',
    'checkout',
    'checkout',
  ])
})

test('an executor that is a default belongs to the orb that declares it, one that is given to the file', () => {
  const text = `version: 2.1
orbs:
  tool:
    executors:
      default: { docker: [{ image: "of-the-orb:1" }] }
    commands:
      again: { steps: [{ run: "echo orb" }] }
    jobs:
      go:
        parameters:
          on: { type: executor, default: default }
          do: { type: steps, default: [again] }
        executor: << parameters.on >>
        steps:
          - steps: << parameters.do >>
executors:
  default: { docker: [{ image: "of-the-file:1" }] }
commands:
  again: { steps: [{ run: "echo file" }] }
workflows:
  w:
    jobs:
      - tool/go: { name: a }
      - tool/go: { name: b, on: default, do: [again] }
      - tool/go: { name: c, on: { name: default } }
`
  const seen = ['a', 'b', 'c'].map((name) => {
    const { executor, steps } = jobOf(text, name)
    return [executor.type === 'docker' && executor.images[0]?.image, steps.map((step) => step.name).join()]
  })
  assert.deepEqual(seen, [
    ['of-the-orb:1', 'echo orb'],
    ['of-the-file:1', 'echo file'],
    ['of-the-file:1', 'echo orb'],
  ])
})

test('a parameter may be named as a property of every object', () => {
  const text = `version: 2.1
jobs:
  t: { parameters: { constructor: { type: string } }, machine: true, steps: [{ run: << parameters.constructor >> }] }
workflows: { w: { jobs: [{ t: { constructor: x } }] } }
`
  assert.equal(jobOf(text, 't').steps[0]?.name, 'x')
})

test('what nobody calls is checked with its defaults', () => {
  const text = withSteps(
    '- checkout',
    'executors:\n  spare:\n    parameters: { class: { type: string, default: small } }\n    docker: [{ image: "a:1" }]\n    resource_class: << parameters.class >>\n    shel: sh\n',
  )
  assert.deepEqual(problemLines(compileFor(text)), ['7:5 the executor "spare" has no key "shel" (did you mean "shell"?)'])
})

test('a byte order mark, carriage returns and names in other scripts', () => {
  const text =
    '\uFEFFversion: 2.1\r\njobs:\r\n  build:\r\n    machine: true\r\n    steps:\r\n      - run: |\r\n          echo “Grüße” << pipeline.git.branch >>\r\n          true\r\n      - chekout\r\n'
  assert.deepEqual(problemLines(compileFor(text)), ['9:9 there is no step or command "chekout" (did you mean "checkout"?)'])
  assert.deepEqual(outline2(text.replace('chekout', 'checkout'), { branch: 'füße' }), ['run echo “Grüße” füße\ntrue\n', 'checkout'])
})

test('jobs of version 2 have freer names, commands have not', () => {
  const text =
    'version: 2\njobs:\n  3.6-test:unit:\n    machine: true\n    steps: [checkout]\nworkflows:\n  version: 2\n  w:\n    jobs: ["3.6-test:unit"]\n'
  assert.equal(jobOf(text, '3.6-test:unit').steps.length, 1)
  assert.deepEqual(problemLines(compileFor(withSteps('- checkout', 'commands:\n  a/b: { steps: [checkout] }\n'))), [
    '3:3 "a/b" is no name for a command: letters, digits, "_" and "-"',
  ])
})

test('a value that does not do is said where it is used, with where it comes from', () => {
  const text = `version: 2.1
executors:
  e:
    parameters: { class: { type: string } }
    docker: [{ image: "a:1" }]
    resource_class: << parameters.class >>
jobs:
  t:
    parameters: { size: { type: string } }
    executor:
      name: e
      class: << parameters.size >>
    steps: [checkout]
workflows:
  w:
    jobs:
      - t:
          size: hug
`
  const [problem, ...rest] = problemLines(compileFor(text))
  assert.deepEqual(rest, [])
  assert.match(problem!, /^6:21 the resource class "hug" is not supported: .* \(the value comes from line 18\)$/)
})

test('a password that is written out is warned of', () => {
  const image = (password: string) =>
    `version: 2.1\njobs:\n  build:\n    docker:\n      - image: a:1\n        auth: { username: ci, password: ${password} }\n    steps: [checkout]\n`
  const written = compileFor(image('hunter2'))
  assert.ok(written.ok)
  assert.deepEqual(
    written.warnings.map(({ line, message }) => `${line} ${message}`),
    ['6 a password is written out here, for all who may read the file; put it into a context and write $NAME'],
  )
  const named = compileFor(image('$REGISTRY_PASSWORD'))
  assert.deepEqual(named.ok && named.warnings, [])
})

test('steps that do not run are not blamed for values that they do not get', () => {
  const text = withSteps(
    '- optional',
    `commands:
  optional:
    parameters:
      step: { type: string, default: "" }
      command: { type: string, default: "" }
      timeout: { type: string, default: "" }
    steps:
      - when:
          condition: << parameters.command >>
          steps:
            - << parameters.step >>
            - run:
                command: << parameters.command >>
                no_output_timeout: << parameters.timeout >>
            - save_cache:
                key: << parameters.command >>
                paths: [<< parameters.command >>]
  unused:
    parameters:
      step: { type: string }
      class: { type: string }
      count: { type: integer }
    steps:
      - << parameters.step >>
      - run: { command: make, no_output_timeout: << parameters.class >>, background: << parameters.count >> }
      - checkout
`,
  )
  assert.deepEqual(outline2(text), [])
})
